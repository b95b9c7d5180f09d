public import Bytes

/// Why a disk's LUKS2 header was refused.
///
/// Text of the disk is shown shortened and with everything but printable ASCII replaced, so that a
/// hostile header cannot write to the owner's terminal.
public enum LUKS2Fault: Error, Equatable, Sendable {
    /// The device could not be read.
    case unreadable(reason: String)
    /// Neither copy of the binary header is valid; the faults of both.
    case noValidCopy(primary: ParseError, secondary: ParseError)
    /// The JSON area is not strict JSON.
    case notJSON(JSONError)
    /// A value breaks a rule.
    case rule(path: String, expected: String, actual: String)
}

extension LUKS2Fault: CustomStringConvertible {
    /// One line: where, what was expected, what is there.
    public var description: String {
        switch self {
        case .unreadable(let reason):
            "LUKS2 header cannot be read: \(reason)"
        case .noValidCopy(let primary, let secondary):
            "no valid LUKS2 header: primary: \(primary); secondary: \(secondary)"
        case .notJSON(let error):
            "LUKS2 metadata is not JSON: \(error)"
        case .rule(let path, let expected, let actual):
            "LUKS2 metadata \(path): expected \(expected), found \(actual)"
        }
    }
}

extension String {
    /// At most 64 characters of text that came from a disk, safe to print.
    var printable: String {
        let shown = unicodeScalars.prefix(64).map { scalar in
            (0x20..<0x7f).contains(scalar.value) ? Character(scalar) : "?"
        }
        return String(shown) + (unicodeScalars.count > 64 ? "..." : "")
    }
}
