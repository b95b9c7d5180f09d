import Bytes
import Evidence
import TestSupport
import Testing

@Suite("Event logs are read to the last byte")
struct EventLogTests {
    private static func log(_ banks: [HashAlgorithm]) -> [UInt8] {
        var builder = EventLogBuilder(banks: banks)
        builder.event(0, 0x03, Array("StartupLocality".utf8) + [0, 3]) {
            [UInt8](repeating: 0, count: $0.size)
        }
        builder.event(7, 0x04, [0, 0, 0, 0]) { [UInt8](repeating: 1, count: $0.size) }
        builder.event(4, 0x8000_0003, [1, 2, 3]) { [UInt8](repeating: 2, count: $0.size) }
        return builder.bytes
    }

    @Test("of both forms", arguments: [[], [HashAlgorithm.sha1, .sha256], [.sha384]])
    func forms(banks: [HashAlgorithm]) throws {
        let log = try EventLog(parsing: Self.log(banks))
        #expect(log.banks == (banks.isEmpty ? [.sha1] : banks))
        #expect(log.startupLocality == 3)
        #expect(log.events.map(\.register) == [0, 7, 4])
        #expect(log.events[1].type.description == "EV_SEPARATOR")
        #expect(log.events[2].data == [1, 2, 3])
        #expect(
            log.events[2].digest(log.banks[0]) == [UInt8](repeating: 2, count: log.banks[0].size))
    }

    @Test(
        "cut anywhere but behind an event, they are refused",
        arguments: [[], [HashAlgorithm.sha256]])
    func truncated(banks: [HashAlgorithm]) throws {
        let bytes = Self.log(banks)
        var whole = 0
        for length in 0..<bytes.count {
            if (try? EventLog(parsing: Array(bytes[..<length]))) != nil { whole += 1 }
        }
        #expect(whole == (banks.isEmpty ? 2 : 3))
    }

    @Test(
        "with a byte behind the last event, they are refused", arguments: [0x00, 0xff] as [UInt8])
    func trailing(byte: UInt8) {
        #expect(throws: ParseError.self) {
            try EventLog(parsing: Self.log([.sha256]) + [byte])
        }
    }

    @Test("a TD's log may have the rest of its memory behind it, and nothing else")
    func filling() throws {
        var builder = EventLogBuilder(banks: [.sha384], firstRegister: 1)
        builder.event(1, 0x04, [0, 0, 0, 0]) { [UInt8](repeating: 1, count: $0.size) }
        for filling in [0x00, 0xff] as [UInt8] {
            for count in [0, 1, 3, 4, 5, 4096] {
                let log = try EventLog(
                    parsing: builder.bytes + [UInt8](repeating: filling, count: count),
                    from: .confidentialComputing)
                #expect(log.events.count == 1)
            }
        }
        for rest in [[0, 0xff], [0xff, 0xff, 0xff, 0xff, 0], [0, 0, 0, 0, 1], [7]] as [[UInt8]] {
            #expect(throws: ParseError.self, "\(rest)") {
                try EventLog(parsing: builder.bytes + rest, from: .confidentialComputing)
            }
        }
        #expect(throws: ParseError.self) {
            try EventLog(parsing: Self.log([]), from: .confidentialComputing)
        }
    }

    @Test("a register that there is none of is refused, but for an event that extends nothing")
    func registers() throws {
        var builder = EventLogBuilder(banks: [.sha256])
        builder.event(UInt32.max, 0x03, [1]) { [UInt8](repeating: 0, count: $0.size) }
        #expect(try EventLog(parsing: builder.bytes).events.count == 1)
        builder.event(24, 0x04, [1]) { [UInt8](repeating: 0, count: $0.size) }
        #expect(throws: ParseError.outOfRange(field: "PCRIndex", value: 24)) {
            try EventLog(parsing: builder.bytes)
        }
        var guest = EventLogBuilder(banks: [.sha384], firstRegister: 1)
        guest.event(5, 0x04, [1]) { [UInt8](repeating: 0, count: $0.size) }
        #expect(throws: ParseError.outOfRange(field: "PCRIndex", value: 5)) {
            try EventLog(parsing: guest.bytes, from: .confidentialComputing)
        }
    }

    @Test("a startup locality stands once, early, and is one that there is")
    func locality() throws {
        let signature = Array("StartupLocality".utf8) + [0]
        let zero = { (bank: HashAlgorithm) in [UInt8](repeating: 0, count: bank.size) }
        for (data, isAllowed) in [
            (signature + [0], true), (signature + [4], true), (signature + [1], false),
            (signature, false), (signature + [3, 0], false),
        ] {
            var builder = EventLogBuilder(banks: [.sha256])
            builder.event(0, 0x03, data, digest: zero)
            #expect(((try? EventLog(parsing: builder.bytes)) != nil) == isAllowed, "\(data)")
        }
        var twice = EventLogBuilder(banks: [.sha256])
        twice.event(0, 0x03, signature + [3], digest: zero)
        twice.event(0, 0x03, signature + [3], digest: zero)
        #expect(throws: ParseError.self) { try EventLog(parsing: twice.bytes) }
        var late = EventLogBuilder(banks: [.sha256])
        late.event(0, 0x08, [], digest: zero)
        late.event(0, 0x03, signature + [3], digest: zero)
        #expect(throws: ParseError.self) { try EventLog(parsing: late.bytes) }
    }

    @Test("digests are of hash functions that the log names, one each")
    func digests() throws {
        let bytes = Self.log([.sha256, .sha384])
        // Behind the description: register and type, then the count, then the first identifier.
        let start = EventLogBuilder(banks: [.sha256, .sha384]).bytes.count
        for (offset, value) in [(8, 3), (12, 4), (12 + 34, 11)] {
            var changed = bytes
            changed[start + offset] = UInt8(value)
            #expect(throws: ParseError.self) { try EventLog(parsing: changed) }
        }
        var many = bytes
        many.replaceSubrange(start + 8..<start + 12, with: [0xff, 0xff, 0xff, 0xff])
        #expect(
            throws: ParseError.lengthOutOfBounds(
                field: "Digests.count of event 1", length: 0xffff_ffff, minimum: 0, maximum: 2)
        ) { try EventLog(parsing: many) }
    }

    @Test("the description of the log is held to its form", arguments: [21, 24, 28, 30])
    func description(offset: Int) {
        var bytes = Self.log([.sha256])
        bytes[32 + offset] ^= 0x41
        #expect(throws: ParseError.self) { try EventLog(parsing: bytes) }
    }

    @Test("a log beyond the limit is refused before it is read")
    func limit() {
        let bytes = [UInt8](repeating: 0, count: EventLog.maximumByteCount + 1)
        #expect(throws: ParseError.self) { try EventLog(parsing: bytes) }
        // As many empty events as fit: the number of them is what refuses.
        var filled = EventLogBuilder(banks: [.sha384], firstRegister: 1).bytes
        filled += [UInt8](repeating: 0, count: 16 * (EventLog.maximumEvents + 2)) + [1]
        #expect(throws: ParseError.self) {
            try EventLog(parsing: filled, from: .confidentialComputing)
        }
    }

    @Test("a list of a TD's events in JSON is read as strictly")
    func runtimeMeasurements() throws {
        let digest = String(repeating: "ab", count: 48)
        let event = """
            {"imr":3,"event_type":134217729,"digest":"\(digest)","event":"app","event_payload":"01"}
            """
        let log = try EventLog(runtimeMeasurements: Array("[\(event)]".utf8))
        #expect(log.events[0].register == 4)
        #expect(log.events[0].data == [1, 0, 0, 8] + Array(":app:".utf8) + [1])
        for (old, new) in [
            ("\"imr\":3", "\"imr\":4"), ("\"imr\":3", "\"imr\":-1"), ("134217729", "4294967296"),
            ("abab", "ab"), ("abab", "xyab"), ("\"01\"", "\"1\""), ("\"app\"", "7"),
            ("\"event\"", "\"name\""), ("{", "{\"more\":1,"),
        ] {
            let changed = event.replacing(old, with: new, maxReplacements: 1)
            #expect(throws: ParseError.self, "\(changed)") {
                try EventLog(runtimeMeasurements: Array("[\(changed)]".utf8))
            }
        }
        for text in ["", "{}", "[1]", "[\(event)] x", "[\(event),]"] {
            #expect(throws: ParseError.self) {
                try EventLog(runtimeMeasurements: Array(text.utf8))
            }
        }
    }

    @Test("the ACPI table of a log is held to length, checksum and reserved bytes")
    func table() throws {
        var writer = ByteWriter()
        writer.raw("CCEL".utf8)
        writer.littleEndian(UInt32(56))
        writer.zeros(28)
        writer.raw([2, 0, 0, 0])
        writer.littleEndian(UInt64(0x40000))
        writer.littleEndian(UInt64(0xbedb_f000))
        var bytes = writer.bytes
        bytes[9] = 0 &- bytes.reduce(0, &+)
        let table = try CCELTable(parsing: bytes)
        #expect(table.type == 2 && table.logAreaMinimumLength == 0x40000)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: ParseError.self) { try CCELTable(parsing: changed) }
        }
        #expect(throws: ParseError.self) { try CCELTable(parsing: bytes + [0]) }
        #expect(throws: ParseError.self) { try CCELTable(parsing: bytes.dropLast()) }
    }
}
