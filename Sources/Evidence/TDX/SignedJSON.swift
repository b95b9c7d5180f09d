public import Bytes

/// A JSON text with the signature over exactly its bytes: how Intel signs TCB info and identities.
public struct SignedJSON: Sendable, Hashable {
    /// The bytes that were signed.
    public let text: [UInt8]
    /// ECDSA on P-256 with SHA-256: r || s, big-endian; 64 bytes in a sound one.
    public let signature: [UInt8]

    /// Takes both as given.
    public init(text: [UInt8], signature: [UInt8]) {
        self.text = text
        self.signature = signature
    }

    /// Cuts a service's answer `{"member":{...},"signature":"hex"}` apart: the signed bytes are those of
    /// the member, exactly as they stand there.
    ///
    /// - Throws: where the answer is no JSON of at most 256 KiB with these two members alone.
    public init(answer: [UInt8], member: String) throws(ParseError) {
        let fields = try JSONFields(
            parsing: answer, name: "answer", limits: TDXCollateral.documentLimits)
        guard fields.names == [member, "signature"] || fields.names == ["signature", member] else {
            throw .invalid(field: "answer", rule: "must have members \(member) and signature alone")
        }
        signature = try fields.bytes("signature")
        var scanner = MemberScanner(text: answer)
        guard let range = scanner.range(of: member) else {
            throw .invalid(field: "answer.\(member)", rule: "its name must be written plainly")
        }
        text = Array(answer[range])
    }
}

/// Finds where a member of a JSON object stands. The text is known to be valid JSON, so nothing but
/// strings and nesting has to be followed.
private struct MemberScanner {
    let text: [UInt8]
    private var offset = 0

    init(text: [UInt8]) {
        self.text = text
    }

    mutating func range(of name: String) -> Range<Int>? {
        skipWhiteSpace()
        offset += 1
        while offset < text.count {
            skipWhiteSpace()
            let start = offset
            skipString()
            let isIt = text[start..<offset].elementsEqual(Array("\"\(name)\"".utf8))
            skipWhiteSpace()
            offset += 1
            skipWhiteSpace()
            let value = skipValue()
            if isIt { return value }
            skipWhiteSpace()
            offset += 1
        }
        return nil
    }

    private var next: UInt8 { offset < text.count ? text[offset] : 0 }

    private mutating func skipWhiteSpace() {
        while [0x20, 0x09, 0x0a, 0x0d].contains(next) { offset += 1 }
    }

    private mutating func skipString() {
        offset += 1
        while offset < text.count, next != UInt8(ascii: "\"") {
            offset += next == UInt8(ascii: "\\") ? 2 : 1
        }
        offset += 1
    }

    /// A member's value ends before the comma or brace of the object around it.
    private mutating func skipValue() -> Range<Int> {
        let start = offset
        var end = offset
        var depth = 0
        while offset < text.count {
            switch next {
            case UInt8(ascii: "\""):
                skipString()
                end = offset
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return start..<end }
                depth -= 1
            case UInt8(ascii: ","):
                if depth == 0 { return start..<end }
            case 0x20, 0x09, 0x0a, 0x0d:
                offset += 1
                continue
            default: break
            }
            offset += 1
            end = offset
        }
        return start..<min(end, text.count)
    }
}
