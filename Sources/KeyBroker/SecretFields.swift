import AdminAPI
import Bytes

/// Takes the secret members out of a JSON object before a JSON decoder sees them.
///
/// A decoder would make strings of them, which nobody can wipe. Looks at the members of the outermost
/// object only, and leaves spaces where a value was.
struct SecretFields {
    private var body: [UInt8]

    init(taking body: consuming [UInt8]) {
        self.body = body
    }

    /// What is left, for a decoder.
    var rest: [UInt8] { body }

    /// Takes the Base64 value of the member `name`.
    mutating func take(_ name: String) throws(AdminFault) -> SecretBytes {
        let found = values(of: name)
        guard found.count == 1 else {
            throw AdminFault(
                .invalid, found.isEmpty ? "expected Base64 text, got nothing" : "given twice",
                field: name)
        }
        let range = unescaped(found[0])
        let secret = body.secret(base64: range)
        for index in found[0] { body[index] = UInt8(ascii: " ") }
        guard let secret else {
            throw AdminFault(.invalid, "expected padded Base64 text", field: name)
        }
        return secret
    }

    /// Overwrites everything.
    mutating func wipe() {
        body.wipe()
    }

    /// Some writers escape the slash. Moves the text to the front of its range.
    private mutating func unescaped(_ range: Range<Int>) -> Range<Int> {
        var end = range.lowerBound
        for index in range {
            let isEscape =
                body[index] == UInt8(ascii: "\\") && index + 1 < range.upperBound
                && body[index + 1] == UInt8(ascii: "/")
            if isEscape { continue }
            body[end] = body[index]
            end += 1
        }
        return range.lowerBound..<end
    }

    /// Where the text values of all members called `name` stand, without their quotes.
    private func values(of name: String) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var depth = 0
        var isWanted = false
        var index = 0
        while index < body.count {
            switch body[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): isWanted = false
            case UInt8(ascii: "\""):
                let text = index + 1..<end(ofTextAt: index + 1)
                index = text.upperBound
                if depth == 1, isWanted {
                    found.append(text)
                } else if depth == 1 {
                    isWanted = body[text].elementsEqual(name.utf8) && isFollowedByColon(text)
                }
            default: break
            }
            index += 1
        }
        return found
    }

    private func end(ofTextAt start: Int) -> Int {
        var index = start
        while index < body.count, body[index] != UInt8(ascii: "\"") {
            index += body[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index, body.count)
    }

    private func isFollowedByColon(_ text: Range<Int>) -> Bool {
        let blank = [UInt8](" \t\r\n".utf8)
        return body[min(text.upperBound + 1, body.count)...].first { !blank.contains($0) }
            == UInt8(ascii: ":")
    }
}
