import Bytes
import Testing

@Suite struct DERReaderTests {
    @Test("reads each kind of element, and nothing behind it")
    func elements() throws {
        var reader = DERReader([
            0x30, 22, 0x02, 1, 5, 0x02, 2, 0, 0x80, 0x0a, 1, 2, 0x01, 1, 0xff, 0x04, 2, 7, 8, 0x06,
            3, 0x2a, 3, 4,
        ])
        var sequence = try reader.element(.sequence, "all")
        try reader.finish("all")
        #expect(try sequence.unsigned("a", as: UInt8.self) == 5)
        #expect(try sequence.unsigned("b", as: UInt8.self) == 0x80)
        #expect(try sequence.unsigned("c", .enumerated, as: UInt8.self) == 2)
        #expect(try sequence.boolean("d"))
        #expect(try sequence.fixed("e", as: FixedBytes<2>.self).bytes == [7, 8])
        #expect(!sequence.isAtEnd)
        #expect(throws: ParseError.trailingBytes(structure: "all", count: 5)) {
            try sequence.finish("all")
        }
        #expect(try sequence.bytes(.objectIdentifier, "f") == [0x2a, 3, 4])
        try sequence.finish("all")
    }

    @Test(
        "numbers that are negative, padded, too large or absent are refused",
        arguments: [
            [0x02, 1, 0x80], [0x02, 2, 0, 1], [0x02, 2, 1, 0], [0x02, 0], [0x02, 3, 0, 1, 0],
            [0x04, 1, 1], [0x02], [], [0x02, 2, 0], [0x02, 0x80, 1, 0, 0],
        ] as [[UInt8]])
    func numbers(der: [UInt8]) {
        var reader = DERReader(der)
        #expect(throws: ParseError.self) { try reader.unsigned("n", as: UInt8.self) }
    }

    @Test("lengths are definite, in their shortest form and within what is there")
    func lengths() throws {
        for count in [0, 1, 127, 128, 255, 256, 4096] {
            let length: [UInt8] =
                count < 128
                ? [UInt8(count)]
                : count < 256
                    ? [0x81, UInt8(count)]
                    : [0x82, UInt8(count >> 8), UInt8(count & 255)]
            let der = [0x04] + length + [UInt8](repeating: 9, count: count)
            var reader = DERReader(der)
            #expect(try reader.bytes(.octetString, "s").count == count)
            if count > 0 {
                var short = DERReader(der.dropLast())
                #expect(throws: ParseError.self) { try short.bytes(.octetString, "s") }
            }
        }
        for head: [UInt8] in [
            [0x04, 0x81, 5], [0x04, 0x82, 0, 200], [0x04, 0x80], [0x04, 0x83, 0, 1, 0],
            [0x04, 0x84, 255, 255, 255, 255], [0x04, 0x81],
        ] {
            var reader = DERReader(head + [UInt8](repeating: 0, count: 300))
            if head.count > 2 || head[1] == 0x80 {
                #expect(throws: ParseError.self) { try reader.bytes(.octetString, "s") }
            }
            var bare = DERReader(head)
            #expect(throws: ParseError.self) { try bare.bytes(.octetString, "s") }
        }
    }

    @Test("a BOOLEAN is 00 or ff")
    func booleans() throws {
        for (der, value) in [([1, 1, 0], false), ([1, 1, 0xff], true)] as [([UInt8], Bool)] {
            var reader = DERReader(der)
            #expect(try reader.boolean("b") == value)
        }
        for der: [UInt8] in [[1, 1, 1], [1, 0], [1, 2, 0, 0]] {
            var reader = DERReader(der)
            #expect(throws: ParseError.self) { try reader.boolean("b") }
        }
    }

    @Test("a chain in PEM is certificates, line breaks and zeros behind, and nothing else")
    func chains() {
        let one = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
        func read(_ text: String, atMost maximum: Int = 3) -> Int? {
            PEM.certificates(Array(text.utf8), atMost: maximum)?.count
        }
        #expect(read(one) == 1)
        #expect(read(one + "\r\n" + one + one + "\0") == 3)
        #expect(read(one + one + one + one) == nil)
        for wrong in [
            "", "\n", "\0", "x" + one, one + "x", one + " " + one, one + "\0" + one,
            String(one.dropLast(3)), "-----BEGIN CERTIFICATE-----\n", one + "-----BEGIN ",
            "-----BEGIN CERTIFICATE-----\nMAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAA=\n-----END CERTIFICATE-----\n",
            "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
        ] {
            #expect(read(wrong) == nil, "\(wrong)")
        }
    }
}
