import Bytes
import Evidence

/// Event logs of each source, their replay and what is taken from them.
enum EventLogTarget {
    static func run(_ input: [UInt8]) {
        for source in [EventLog.Source.tpm, .confidentialComputing] {
            guard let log = try? EventLog(parsing: input, from: source) else { continue }
            check(log)
        }
        if let log = try? EventLog(runtimeMeasurements: input) { check(log) }
        _ = try? CCELTable(parsing: input)
    }

    private static func check(_ log: EventLog) {
        let replayed = log.replay(WeakHashing())
        precondition(
            replayed.registers.allSatisfy { $0 < log.source.registerCount }, "no such register")
        let all = Set(HashAlgorithm.allCases)
        let proven = Dictionary(uniqueKeysWithValues: (0..<24).map { ($0, all) })
        let facts = BootFacts(log, proven: proven, hashing: WeakHashing())
        precondition(
            facts.unexplained.allSatisfy { log.events.indices.contains($0.index) },
            "an event that is not in the log")
    }

    static var seeds: [[UInt8]] {
        let global: [UInt8] = [
            0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0, 0xe0, 0x98, 3, 0x2b,
            0x8c,
        ]
        let variable = global + [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 80, 0, 75, 0, 1]
        let events: [(UInt32, UInt32, [UInt8])] = [
            (0, 3, Array("StartupLocality".utf8) + [0, 3]), (1, 0x8000_0001, variable),
            (1, 4, [0, 0, 0, 0]), (1, 0x8000_00e0, variable), (2, 0x8000_0003, [1]),
            (3, 0x0d, Array("grub_cmd: a".utf8) + [0]), (3, 0x0d, [46, 0, 97, 0, 0, 0]),
            (3, 6, [0xed, 0x22, 0x3b, 0x8f, 0, 0, 0, 0]),
        ]
        return [[], [HashAlgorithm.sha256], [.sha384]].map { log(events, $0) } + [
            Array(
                """
                [{"imr":3,"event_type":134217729,"digest":"\(String(repeating: "0", count: 96))",\
                "event":"app","event_payload":"01"}]
                """.utf8)
        ]
    }

    private static func log(
        _ events: [(UInt32, UInt32, [UInt8])], _ banks: [HashAlgorithm]
    ) -> [UInt8] {
        var writer = ByteWriter()
        if let bank = banks.first {
            writer.littleEndian(UInt32(0))
            writer.littleEndian(UInt32(3))
            writer.zeros(20)
            writer.littleEndian(UInt32(33))
            writer.raw(Array("Spec ID Event03".utf8) + [0, 0, 0, 0, 0, 0, 2, 0, 2])
            writer.littleEndian(UInt32(1))
            writer.littleEndian(bank.tpmIdentifier)
            writer.littleEndian(UInt16(bank.size))
            writer.uint8(0)
        }
        for (register, type, data) in events {
            writer.littleEndian(register)
            writer.littleEndian(type)
            if let bank = banks.first {
                writer.littleEndian(UInt32(1))
                writer.littleEndian(bank.tpmIdentifier)
                writer.zeros(bank.size)
            } else {
                writer.zeros(20)
            }
            writer.littleEndian(UInt32(data.count))
            writer.raw(data)
        }
        return writer.bytes
    }
}
