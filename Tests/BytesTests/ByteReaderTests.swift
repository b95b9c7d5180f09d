import Bytes
import Testing

@Suite struct ByteReaderTests {
    @Test("names the field that is cut short, at every length")
    func truncated() {
        for length in 0..<6 {
            let bytes = [UInt8](repeating: 1, count: length)
            #expect(throws: ParseError.self) {
                _ = try bytes.parse("EXAMPLE") { reader throws(ParseError) in
                    _ = try reader.littleEndian("VERSION", as: UInt32.self)
                    return try reader.bigEndian("LENGTH", as: UInt16.self)
                }
            }
        }
    }

    @Test("refuses one trailing byte")
    func trailing() {
        #expect(throws: ParseError.trailingBytes(structure: "EXAMPLE", count: 1)) {
            _ = try [1, 2].parse("EXAMPLE") { reader throws(ParseError) in try reader.uint8("A") }
        }
    }

    @Test("compares a length with its bounds before it uses it")
    func bounds() {
        let bytes: [UInt8] = [0xff, 0xff, 0xff, 0xff]
        #expect(
            throws: ParseError.lengthOutOfBounds(
                field: "BODY", length: 0xffff_ffff, minimum: 0, maximum: 8)
        ) {
            _ = try bytes.parse("EXAMPLE") { reader throws(ParseError) in
                try reader.opaque("BODY", lengthBytes: 4, within: 0...8)
            }
        }
    }

    @Test("reads both byte orders")
    func orders() throws {
        let values = try [1, 2, 3, 4, 5, 6, 7].parse("EXAMPLE") { reader throws(ParseError) in
            let little = try reader.littleEndian("A", as: UInt16.self)
            let big = try reader.bigEndian("B", as: UInt16.self)
            return (little, big, try reader.bigEndian("C", byteCount: 3, as: UInt32.self))
        }
        #expect(values == (0x0201, 0x0304, 0x050607))
    }
}
