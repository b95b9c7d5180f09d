import Bytes
import Evidence
import TestSupport
import Testing

@Suite("IMA logs are read entry by entry")
struct IMALogTests {
    private static let digest = [UInt8](0..<32)
    private static let entries = [
        IMALogBuilder.Entry("boot_aggregate", sha256: digest),
        IMALogBuilder.Entry("/usr/bin/a", sha256: digest, signature: [3, 2, 4]),
        IMALogBuilder.Entry("/usr/bin/b", sha256: digest, signature: []),
        IMALogBuilder.Entry(
            "ima-ngv2",
            [Array("verity:sha256:".utf8) + [0] + digest, Array("/c".utf8) + [0]],
            ["verity:sha256:" + Hex.encode(digest), "/c"]),
        IMALogBuilder.Entry(
            "ima-buf", [Array("sha256:".utf8) + [0] + digest, Array(".ima".utf8) + [0], [1, 2]],
            ["sha256:" + Hex.encode(digest), ".ima", "0102"]),
        IMALogBuilder.Entry(
            "ima-modsig",
            [Array("sha256:".utf8) + [0] + digest, Array("/m".utf8) + [0], [], [], []],
            ["sha256:" + Hex.encode(digest), "/m", "", "", ""]),
        IMALogBuilder.Entry(
            "n-ng|d-ng|iuid|imode",
            [
                Array("/n".utf8) + [0], Array("sha256:".utf8) + [0] + digest, [1, 2, 0, 0], [3, 0],
            ], ["/n", "sha256:" + Hex.encode(digest), "513", "3"]),
    ]

    private static func hash(_ data: [UInt8]) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: data.count), count: 20)
    }

    private static let logs: [(IMALogForm, [UInt8])] = [
        (.binary(.sha1), IMALogBuilder(entries).binary(hash: hash)),
        (.ascii(.sha1), IMALogBuilder(entries).text(hash: hash)),
    ]

    /// The template data of all entries, or nil where the log is refused.
    private func read(_ form: IMALogForm, _ bytes: [UInt8]) -> [[UInt8]]? {
        var reader = IMALogReader(form)
        reader.append(bytes[...])
        var entries: [[UInt8]] = []
        do {
            while try reader.next() {
                entries.append(Array(reader.entry.data.prefix(reader.entry.dataByteCount)))
            }
            try reader.finish()
        } catch { return nil }
        return entries
    }

    @Test("in both forms alike, with all their fields", arguments: [0, 1])
    func forms(index: Int) throws {
        let (form, bytes) = Self.logs[index]
        #expect(try IMALogForm(detecting: Array(bytes.prefix(600))) == form)
        var reader = IMALogReader(form)
        reader.append(bytes[...])
        for (index, wanted) in Self.entries.enumerated() {
            #expect(try reader.next())
            let entry = reader.entry
            #expect(entry.index == index && entry.register == 10)
            #expect(Array(entry.data.prefix(entry.dataByteCount)) == wanted.data)
            #expect(entry.templateHash == Self.hash(wanted.data))
            #expect(entry.template.name == wanted.template)
            #expect(Array(entry.data[entry.digest]) == Self.digest)
            #expect(entry.algorithm == .sha256 && entry.isVerity == (index == 3))
        }
        #expect(reader.entry.path == "/n")
        #expect(try !reader.next())
        #expect(reader.count == Self.entries.count)
    }

    @Test(
        "cut within an entry they are refused, and read on when the rest comes", arguments: [0, 1])
    func truncated(index: Int) throws {
        let (form, bytes) = Self.logs[index]
        var whole = 0
        for length in 0..<bytes.count {
            if read(form, Array(bytes[..<length])) != nil { whole += 1 }
            var reader = IMALogReader(form)
            reader.append(bytes[..<length])
            while try reader.next() {}
            reader.append(bytes[length...])
            while try reader.next() {}
            try reader.finish()
            #expect(reader.count == Self.entries.count)
        }
        #expect(whole == Self.entries.count)
    }

    @Test("no byte changed goes unseen", arguments: [0, 1])
    func changed(index: Int) throws {
        let (form, bytes) = Self.logs[index]
        let good = try #require(parts(form, bytes))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(parts(form, changed) != good, "byte \(index)")
        }
    }

    /// All that counts of all entries, or nil where the log is refused.
    private func parts(_ form: IMALogForm, _ bytes: [UInt8]) -> [[UInt8]]? {
        guard let data = read(form, bytes) else { return nil }
        var reader = IMALogReader(form)
        reader.append(bytes[...])
        var parts = data
        while (try? reader.next()) ?? false {
            parts.append([UInt8(reader.entry.register)] + reader.entry.templateHash)
            parts.append(Array(reader.entry.template.name.utf8))
        }
        return parts
    }

    @Test("the oldest template has a form of its own")
    func legacy() throws {
        var writer = ByteWriter()
        writer.littleEndian(UInt32(10))
        writer.raw([UInt8](repeating: 9, count: 20))
        writer.littleEndian(UInt32(3))
        writer.raw("ima".utf8)
        writer.raw([UInt8](repeating: 7, count: 20))
        writer.littleEndian(UInt32(4))
        writer.raw("/bin".utf8)
        let data = [UInt8](repeating: 7, count: 20) + Array("/bin".utf8)
        let padded = data + [UInt8](repeating: 0, count: 252)
        #expect(read(.binary(.sha1), writer.bytes) == [padded])
        let line =
            "10 \(String(repeating: "09", count: 20)) ima \(String(repeating: "07", count: 20)) /bin\n"
        #expect(read(.ascii(.sha1), Array(line.utf8)) == [padded])
        var long = writer.bytes
        long.replaceSubrange(51..<55, with: [1, 1, 0, 0])
        #expect(read(.binary(.sha1), long + [UInt8](repeating: 65, count: 253)) == nil)
    }

    @Test(
        "what is not of its form is refused",
        arguments: [
            "24 HASH ima-ng sha256:DIGEST /a", "x HASH ima-ng sha256:DIGEST /a",
            "10 HASHaa ima-ng sha256:DIGEST /a", "10 xx ima-ng sha256:DIGEST /a",
            "10 HASH ima-xx sha256:DIGEST /a", "10 HASH  sha256:DIGEST /a",
            "10 HASH ima-ng sha256:DIGESTaa /a", "10 HASH ima-ng sha256DIGEST /a",
            "10 HASH ima-ng :DIGEST /a", "10 HASH ima-ngv2 sha256:DIGEST /a",
            "10 HASH ima-ngv2 other:sha256:DIGEST /a", "10 HASH ima-sig sha256:DIGEST /a 0",
            "10 HASH ima-sig sha256:DIGEST /a xy", "10 HASH ima-sig sha256:DIGEST /a 00 00",
            "10 HASH iuid -1", "10 HASH iuid 4294967296", "10 HASH imode 65536", "10 HASH", "10",
            "",
            "10 HASH d-ng|", "10 HASH ima 00 /a", "10  HASH ima-ng sha256:DIGEST /a",
        ])
    func malformed(line: String) {
        let hash = String(repeating: "ab", count: 20)
        let text = line.replacing("HASH", with: hash)
            .replacing("DIGEST", with: Hex.encode(Self.digest))
        #expect(read(.ascii(.sha1), Array((text + "\n").utf8)) == nil)
    }

    @Test("lengths of a record are held to bounds before they are used")
    func lengths() {
        let bytes = Self.logs[0].1
        // Register, name length, template data length, and the first field's.
        for offset in [0, 24, 34, 38] {
            for value in [[0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0xff]] as [[UInt8]] {
                var changed = bytes
                changed.replaceSubrange(offset..<offset + 4, with: value)
                #expect(read(.binary(.sha1), changed) == nil)
            }
        }
        var longer = bytes
        longer[34] += 1
        #expect(read(.binary(.sha1), longer) == nil)
        #expect(read(.binary(.sha1), bytes + [0]) == nil)
    }

    @Test("nothing is read behind an entry that is not of its form", arguments: [0, 1])
    func behindFault(index: Int) {
        let (form, bytes) = Self.logs[index]
        let short = IMALogBuilder([.init("/short", sha256: [1, 2, 3])])
        let hash = { (_: [UInt8]) in [UInt8](repeating: 9, count: form.hash.size) }
        var reader = IMALogReader(form)
        reader.append((index == 0 ? short.binary(hash: hash) : short.text(hash: hash))[...])
        #expect(throws: ParseError.self) { try reader.next() }
        reader.append(bytes[...])
        #expect(throws: ParseError.self) { try reader.next() }
        #expect(reader.count == 0)
    }

    @Test("a text may lack its last line feed")
    func lastLine() throws {
        let (form, bytes) = Self.logs[1]
        var reader = IMALogReader(form)
        reader.append(bytes.dropLast())
        while try reader.next() {}
        reader.endText()
        #expect(try reader.next())
        #expect(reader.count == Self.entries.count)
        reader.endText()
        #expect(try !reader.next())
    }

    @Test("an entry without an end is given up at 4 MiB")
    func endless() throws {
        var reader = IMALogReader(.ascii(.sha1))
        let part = [UInt8](repeating: 0x31, count: 1 << 20)
        #expect(throws: ParseError.self) {
            for _ in 0..<6 {
                reader.append(part[...])
                _ = try reader.next()
            }
        }
    }

    @Test("the form of a log is told by its start, or refused")
    func detection() throws {
        for hash in HashAlgorithm.allCases {
            let digest = [UInt8](repeating: 3, count: hash.size)
            let builder = IMALogBuilder([Self.entries[0]])
            #expect(
                try IMALogForm(detecting: builder.binary { _ in digest }) == .binary(hash))
            #expect(try IMALogForm(detecting: builder.text { _ in digest }) == .ascii(hash))
        }
        for start in [[], [10], [UInt8](repeating: 0, count: 600), Array("10 ab ima\n".utf8)] {
            #expect(throws: ParseError.self) { try IMALogForm(detecting: start) }
        }
    }
}

@Suite("Signatures of files")
struct IMASignatureTests {
    private static let good: [UInt8] = [3, 2, 4, 1, 2, 3, 4, 0, 2, 8, 9]

    @Test("are read to the last byte")
    func golden() throws {
        let signature = try IMASignature(parsing: Self.good)
        #expect(signature.subject == .digest && signature.hash == .sha256)
        #expect(signature.keyIdentifier == 0x0102_0304 && signature.signature == [8, 9])
        for length in 0..<Self.good.count {
            #expect(throws: ParseError.self) {
                try IMASignature(parsing: Array(Self.good[..<length]))
            }
        }
        #expect(throws: ParseError.self) { try IMASignature(parsing: Self.good + [0]) }
        for (index, value) in [(0, 1), (1, 1), (2, 0), (7, 1), (8, 3)] {
            var changed = Self.good
            changed[index] = UInt8(value)
            #expect(throws: ParseError.self) { try IMASignature(parsing: changed) }
        }
    }
}
