import Bytes
import Policy

extension RuntimeRules {
    /// Reads the table `[runtime]`.
    init(from table: inout TOMLReader) throws(SettingsError) {
        self.init()
        let bounds = Int(Self.staleBounds.lowerBound)...Int(Self.staleBounds.upperBound)
        staleAfter =
            try table.optionalDuration("stale_after", in: bounds).map(UInt32.init) ?? staleAfter
        refusesLaunchAfterFailure =
            try table.optionalBool("refuse_launch_after_failure") ?? refusesLaunchAfterFailure
        violations = try table.optionalChoice("violations") ?? violations
        allowances = try table.tables("allow") { entry throws(SettingsError) in
            try Allowance(from: &entry)
        }
    }
}

extension RuntimeRules.Allowance {
    fileprivate init(from entry: inout TOMLReader) throws(SettingsError) {
        let path = try entry.optionalString("path")
        let package = try entry.optionalString("package")
        let signer = try entry.optionalString("signer")
        let overlay = try entry.optionalString("overlay")
        switch (path, package, signer, overlay) {
        case (let text?, nil, nil, nil):
            guard let glob = PathGlob(text) else {
                throw entry.error(
                    "path",
                    expected:
                        "an absolute path without white space, its first component without *",
                    actual: "\(TOMLNode.string(text))")
            }
            self = .path(glob)
        case (nil, let name?, nil, nil): self = .package(name)
        case (nil, nil, let text?, nil):
            let bytes = Array(text.utf8)
            // DER is no text, so both want their armour here.
            let isText = bytes.first == UInt8(ascii: "-")
            guard isText, let der = PEM.publicKey(bytes) ?? PEM.certificate(bytes) else {
                throw entry.error(
                    "signer", expected: "a public key or a certificate in PEM",
                    actual: "\(TOMLNode.string(String(text.prefix(64))))")
            }
            self = .signer(der)
        case (nil, nil, nil, let folder?): self = .overlay(folder)
        default:
            let given = [path, package, signer, overlay].count { $0 != nil }
            throw SettingsError(
                path: entry.path, expected: "one of path, package, signer and overlay",
                actual: given == 0 ? "none" : "\(given) of them")
        }
    }
}

extension TOMLReader {
    /// A duration such as `"90s"`, `"15m"`, `"2h"` or `"7d"` within `bounds`, in seconds; nil where the key is
    /// absent.
    mutating func optionalDuration(
        _ key: String, in bounds: ClosedRange<Int>
    ) throws(SettingsError) -> Int? {
        guard let text = try optionalString(key) else { return nil }
        let units = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        let digits = text.dropLast()
        guard let unit = units[String(text.suffix(1))], let number = Int(digits),
            "\(number)" == digits,
            case let (seconds, false) = number.multipliedReportingOverflow(by: unit),
            bounds.contains(seconds)
        else {
            throw error(
                key,
                expected:
                    "a duration such as \"90s\", \"15m\", \"2h\" or \"7d\", \(bounds.lowerBound) to \(bounds.upperBound) s",
                actual: "\(TOMLNode.string(text))")
        }
        return seconds
    }
}
