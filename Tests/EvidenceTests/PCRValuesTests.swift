import Bytes
import Evidence
import Testing

@Suite("PCR values")
struct PCRValuesTests {
    private static func values() throws -> PCRValues {
        var values = PCRValues()
        try values.insert(Array(repeating: 7, count: 32), at: 7, in: .sha256)
        try values.insert(Array(repeating: 1, count: 32), at: 1, in: .sha256)
        try values.insert(Array(repeating: 9, count: 20), at: 10, in: .sha1)
        return values
    }

    private static let json = """
        {"sha256":{"7":"\(String(repeating: "07", count: 32))",
        "1":"\(String(repeating: "01", count: 32))"},"sha1":{"10":"\(String(repeating: "09", count: 20))"}}
        """

    @Test("the forms of protocol and JSON say the same")
    func forms() throws {
        let values = try Self.values()
        #expect(try PCRValues(json: Array(Self.json.utf8)) == values)
        #expect(try PCRValues(parsing: values.encoded) == values)
        #expect(values.encoded.prefix(4) == [0, 4, 1, 10])
        #expect(values.selection?.description == "sha1:10+sha256:1,7")
        let selection = try #require(PCRSelection([.sha256: [1, 7]]))
        #expect(
            values.concatenated(selection)
                == Array(repeating: 1, count: 32) + Array(repeating: 7, count: 32))
        #expect(values.restricted(to: selection)[.sha1, 10] == nil)
        #expect(values.restricted(to: selection)[.sha256, 7] != nil)
        let more = try #require(PCRSelection([.sha256: [1, 2]]))
        #expect(values.concatenated(more) == nil)
    }

    @Test("every truncation and every trailing byte of the wire form is refused")
    func lengths() throws {
        let bytes = try Self.values().encoded
        // A cut right behind a bank is a shorter list.
        let whole = 2 + 1 + 1 + 20
        for count in 0..<bytes.count where count != whole {
            #expect(throws: ParseError.self) { try PCRValues(parsing: Array(bytes.prefix(count))) }
        }
        #expect(throws: ParseError.self) { try PCRValues(parsing: bytes + [0]) }
        #expect(throws: ParseError.self) { try PCRValues(parsing: bytes + bytes) }
    }

    @Test("the wire form has one spelling")
    func canonical() {
        let digest = [UInt8](repeating: 3, count: 20)
        let bad: [[UInt8]] = [
            [0, 4, 0], [0, 4, 33], [0, 4, 1, 32] + digest,
            [0, 4, 2, 1] + digest + [1] + digest, [0, 4, 2, 2] + digest + [1] + digest,
            [0, 0x12, 1, 1] + digest, [0, 4, 1, 1] + digest + [0, 4, 1, 2] + digest,
        ]
        for bytes in bad {
            #expect(throws: ParseError.self) { try PCRValues(parsing: bytes) }
        }
    }

    @Test(
        "JSON of another shape is refused",
        arguments: [
            "", "[]", "{}", #"{"sha256":{}}"#, #"{"md5":{"1":"00"}}"#, #"{"sha256":[]}"#,
            #"{"sha1":{"01":"\#(String(repeating: "0", count: 40))"}}"#,
            #"{"sha1":{"32":"\#(String(repeating: "0", count: 40))"}}"#,
            #"{"sha1":{"-1":"\#(String(repeating: "0", count: 40))"}}"#,
            #"{"sha1":{"1":"\#(String(repeating: "0", count: 38))"}}"#,
            #"{"sha1":{"1":"\#(String(repeating: "g", count: 40))"}}"#,
            #"{"sha1":{"1":1}}"#,
        ])
    func badJSON(text: String) {
        #expect(throws: ParseError.self) { try PCRValues(json: Array(text.utf8)) }
    }

    /// As tpm2-tools lays it out: two registers of one bank.
    private static func toolsFile() -> [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(UInt32(1))
        writer.littleEndian(UInt16(0x000b))
        writer.raw([3, 0x82, 0, 0, 0, 0])
        writer.zeros(15 * 8)
        writer.littleEndian(UInt32(1))
        writer.littleEndian(UInt32(2))
        for byte in [UInt8(1), 7] {
            writer.littleEndian(UInt16(32))
            writer.raw(Array(repeating: byte, count: 32))
            writer.zeros(32)
        }
        writer.zeros(6 * 66)
        return writer.bytes
    }

    @Test("the file of tpm2-tools is read, and nothing beside its shape")
    func tools() throws {
        let bytes = Self.toolsFile()
        let values = try PCRValues(toolsFile: bytes)
        #expect(values[.sha256, 1] == Array(repeating: 1, count: 32))
        #expect(values[.sha256, 7] == Array(repeating: 7, count: 32))
        for count in 0..<bytes.count {
            #expect(throws: ParseError.self) {
                try PCRValues(toolsFile: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: ParseError.self) { try PCRValues(toolsFile: bytes + [0]) }
        // count, hash, size, padding of the bitmap, unused selection, lists, digests, size, paddings
        for offset in [0, 4, 6, 10, 11, 12, 132, 136, 140, 174, 400] {
            var changed = bytes
            changed[offset] ^= 0x40
            #expect(throws: ParseError.self, "offset \(offset)") {
                try PCRValues(toolsFile: changed)
            }
        }
    }
}
