import Bytes

extension RuntimeRules {
    /// The most rules that let something in.
    public static let maximumAllowances = 256
    /// The longest key or certificate of a signer, in bytes of DER.
    public static let maximumSignerByteCount = 16 * 1024

    /// Refuses what could not be kept, and what would let in nearly everything.
    func validate() throws(PolicyError) {
        guard Self.staleBounds.contains(staleAfter) else {
            throw PolicyError(
                path: "runtime.stale_after", expected: "1 minute to 30 days",
                actual: "\(staleAfter) s")
        }
        guard allowances.count <= Self.maximumAllowances else {
            throw PolicyError(
                path: "runtime.allow", expected: "at most \(Self.maximumAllowances) rules",
                actual: "\(allowances.count)")
        }
        for (index, allowance) in allowances.enumerated() {
            let path = "runtime.allow[\(index)]"
            guard !allowances[..<index].contains(allowance) else {
                throw PolicyError(
                    path: path, expected: "a rule of its own", actual: "\(allowance) once more")
            }
            try Self.validate(allowance, path)
        }
    }

    private static func validate(
        _ allowance: Allowance, _ path: String
    ) throws(PolicyError) {
        switch allowance {
        case .path: return
        case .package(let name):
            // Debian Policy 5.6.1 and RPM's names, which may have capitals and underscores too.
            let isName =
                (1...128).contains(name.utf8.count)
                && name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") }
            guard isName else {
                throw PolicyError(
                    path: "\(path).package", expected: "the name of a package",
                    actual: String(name.prefix(140)).debugDescription)
            }
        case .signer(let key):
            guard (1...maximumSignerByteCount).contains(key.count) else {
                throw PolicyError(
                    path: "\(path).signer",
                    expected: "a key or certificate of at most \(maximumSignerByteCount) bytes",
                    actual: "\(key.count) bytes")
            }
        case .overlay(let folder):
            // A folder is a path without stars.
            guard !folder.contains("*"), PathGlob(folder) != nil else {
                throw PolicyError(
                    path: "\(path).overlay",
                    expected: "an absolute folder other than /, without a slash at its end",
                    actual: String(folder.prefix(140)).debugDescription)
            }
        }
    }
}
