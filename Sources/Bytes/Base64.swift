/// Base64 text of RFC 4648, section 4: standard alphabet, padded, one valid form for each value.
public enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Padded text without line breaks.
    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for (index, byte) in group.enumerated() {
                bits |= UInt32(byte) << (16 - 8 * index)
            }
            for index in 0..<4 {
                let digit = Int(bits >> (18 - 6 * index) & 0x3f)
                text.append(index <= group.count ? alphabet[digit] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes, or nil for anything but the one text that ``encode(_:)`` would have made.
    ///
    /// Refusing line breaks, missing padding and stray low bits leaves no two texts for one value.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: characters.count, by: 4) {
            var bits: UInt32 = 0
            var digits = 0
            for character in characters[start..<start + 4] {
                guard let value = alphabet.firstIndex(of: character) else { break }
                bits |= UInt32(value) << (18 - 6 * digits)
                digits += 1
            }
            guard digits >= 2 else { return nil }
            for index in 0..<(digits - 1) {
                bytes.append(UInt8(truncatingIfNeeded: bits >> (16 - 8 * index)))
            }
        }
        return encode(bytes) == String(text) ? bytes : nil
    }
}
