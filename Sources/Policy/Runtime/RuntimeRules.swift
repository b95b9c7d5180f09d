import Bytes

/// What an owner wants of a VM after its boot: the section `[runtime]` of a policy.
public struct RuntimeRules: Sendable, Equatable {
    /// What becomes of a file that was open for writing while it was measured.
    public enum Violations: String, Sendable, Hashable, CaseIterable {
        /// The report fails.
        case fail
        /// It is told.
        case warn
    }

    /// What lets an entry of the IMA log pass that the snapshot lacks.
    public enum Allowance: Sendable, Hashable {
        /// A path that the pattern matches; see ``PathGlob``.
        case path(PathGlob)
        /// A path that the snapshot lists for the package of this name, whatever its digest.
        case package(String)
        /// An IMA signature by this key: DER of a SubjectPublicKeyInfo or of a certificate.
        case signer([UInt8])
        /// A path below this folder, as layers of containers are.
        case overlay(String)
    }

    /// How old the last report may be, in seconds: 60 to 30 days.
    public var staleAfter: UInt32 = 3600
    /// Whether a VM whose report failed gets no key at its next launch, until its owner resumes it.
    public var refusesLaunchAfterFailure = true
    /// What becomes of violations.
    public var violations = Violations.fail
    /// What may be there although the snapshot lacks it.
    public var allowances: [Allowance] = []

    /// The bounds of ``staleAfter``, in seconds.
    public static let staleBounds: ClosedRange<UInt32> = 60...30 * 86400

    /// The strict ones.
    public init() {}
}

/// An absolute path with `*` for any characters within a component and `**` for any characters at all.
public struct PathGlob: Sendable, Hashable, CustomStringConvertible {
    /// The longest pattern, in bytes.
    public static let maximumByteCount = 512

    /// The pattern as it was written.
    public let description: String

    /// Nil for what is no absolute path of printable characters without spaces (the kernel writes `_` for
    /// them), for components `.`, `..` and empty ones, and where the first component is not written out: such
    /// a pattern would let in nearly everything.
    public init?(_ text: String) {
        let components = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard text.hasPrefix("/"), text.utf8.count <= Self.maximumByteCount,
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
            let first = components.first, !first.contains("*"),
            components.allSatisfy({ !["", ".", ".."].contains($0) })
        else { return nil }
        description = text
    }

    /// What every path that matches begins with.
    public var fixedStart: String { String(description.prefix { $0 != "*" }) }

    /// The same as a regular expression for names that hold no line feed.
    public var regularExpression: String {
        var result = ""
        var rest = description.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "*") {
                let isDouble = rest.first == byte
                rest = rest.drop { $0 == byte }
                result += isDouble ? ".*" : "[^/]*"
            } else {
                if Self.isSpecial(byte) { result += "\\" }
                result.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return "^\(result)$"
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "_"):
            false
        default: true
        }
    }
}

extension RuntimeRules.Allowance: CustomStringConvertible {
    /// Kind and value, as findings and summaries show it; a key by the start of its bytes' end.
    public var description: String {
        switch self {
        case .path(let glob): "path \(glob)"
        case .package(let name): "package \(name)"
        case .signer(let key): "signer of \(key.count) bytes ending in \(Hex.encode(key.suffix(8)))"
        case .overlay(let folder): "overlay \(folder)"
        }
    }
}
