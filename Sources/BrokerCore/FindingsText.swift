import Bytes
import Policy
import Verification

/// Findings as the JSON array that the ledger keeps.
///
/// Written by hand: Foundation's encoder takes longer than the row's way to the disk.
enum FindingsText {
    static func encode(_ findings: [Finding]) -> String {
        var text: [UInt8] = [UInt8(ascii: "[")]
        text.reserveCapacity(findings.count * 192)
        for finding in findings {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            text += #"{"check":"#.utf8
            quote(finding.check, into: &text)
            text += #","outcome":"#.utf8
            quote(finding.outcome.rawValue, into: &text)
            text += #","expected":"#.utf8
            quote(finding.expected, into: &text)
            text += #","actual":"#.utf8
            quote(finding.actual, into: &text)
            if let note = finding.note {
                text += #","note":"#.utf8
                quote(note, into: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: "]"))
        return String(decoding: text, as: UTF8.self)
    }

    /// The longest path of a problem in the ledger, in characters: whoever fills a log chooses them.
    static let maximumPath = 256

    /// Entries of a log that do not hold, as the JSON array that the ledger keeps.
    static func encode(_ problems: [RuntimeProblem]) -> String {
        var text: [UInt8] = [UInt8(ascii: "[")]
        for problem in problems {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            text += #"{"check":"#.utf8
            quote(problem.check, into: &text)
            text += #","index":\#(problem.index),"path":"#.utf8
            quote(String(problem.path.unicodeScalars.prefix(maximumPath)), into: &text)
            text += #","digest":"#.utf8
            quote(problem.digest, into: &text)
            text += #","detail":"#.utf8
            quote(problem.detail, into: &text)
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: "]"))
        return String(decoding: text, as: UTF8.self)
    }

    private static func quote(_ value: String, into text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case ..<0x20:
                text += "\\u00\(Hex.encode([byte]))".utf8
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
