import Bytes

/// Text as systemd-stub handles it: UTF-16, control characters turned into spaces.
struct StubText: Sendable, Equatable {
    private(set) var units: [UInt16]

    /// A section's text up to its first zero byte. What UCS-2 has no unit for is left out, as the stub
    /// does; text that is no UTF-8 is refused.
    init(section bytes: [UInt8], _ field: String) throws(ParseError) {
        guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
            throw .invalid(field: field, rule: "is UTF-8")
        }
        self.init(text)
    }

    init(_ text: String) {
        let all = text.unicodeScalars.filter { $0.value <= 0xffff }.map { UInt16($0.value) }
        func isSpace(_ unit: UInt16) -> Bool { unit <= 0x20 || unit == 0x7f }
        let trimmed = all.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        units = trimmed.map { isSpace($0) ? 0x20 : $0 }
    }

    var isEmpty: Bool { units.isEmpty }

    /// Appends another text behind a space.
    mutating func append(_ other: StubText) {
        units += (isEmpty ? [] : [0x20]) + other.units
    }

    /// Little-endian, with the two zero bytes that end it: what is measured and handed to the kernel.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        for unit in units + [0] { writer.littleEndian(unit) }
        return writer.bytes
    }
}
