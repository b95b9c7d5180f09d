import Bytes
import OpenSSL

/// Event logs and IMA logs with the registers that they lead to.
struct LogVectors {
    let seed: VectorSeed

    func add(to set: inout VectorSet) {
        addEventLogs(to: &set)
        addIMA(to: &set)
    }

    private func addEventLogs(to set: inout VectorSet) {
        let launch = MeasuredLaunch(
            firmware: seed.bytes("firmware", count: 4096),
            boot: DirectBoot(
                kernel: seed.bytes("kernel", count: 4096),
                initrd: seed.bytes("initrd", count: 4096),
                commandLine: "root=/dev/mapper/root ro"),
            hashing: OpenSSLHashing())
        var registers: [(String, JSONText.Value)] = []
        for (index, value) in launch.log.registers.enumerated() where !value.isZero {
            registers.append(("\(index + 1)", .string(value.hex)))
        }
        let given: [(String, JSONText.Value)] = [
            ("registers", .object([("sha384", .object(registers))]))
        ]
        let log = launch.log.bytes
        var changed = log
        // In the digest of the last event, before its size and its data.
        changed[log.count - 30] ^= 1
        let all: [(id: String, bytes: [UInt8], reason: String?)] = [
            ("ccel", log, nil), ("ccel-neg-digest", changed, "eventlog-replay-mismatch"),
            ("ccel-neg-short", Array(log.dropLast()), "malformed"),
        ]
        for one in all {
            set.add(
                VectorEntry(
                    id: one.id, kind: "ccel",
                    tags: ["eventlog"] + (one.reason == nil ? [] : ["negative"]),
                    files: [(set.file("eventlog/\(one.id).bin", one.bytes), "ccel-event-log")],
                    cases: [VectorCase(name: "replay", reason: one.reason, inputs: given)]))
        }
    }

    private func addIMA(to set: inout VectorSet) {
        var log = IMALogWriter()
        for name in ["boot_aggregate", "/usr/lib/systemd/systemd", "/usr/bin/bash"] {
            log.add(name, digest: seed.bytes(name, count: 32))
        }
        let complete = log.registers
        log.addViolation("/usr/bin/open-writer")
        let given: [(String, JSONText.Value)] = [("pcr10", registers(log.registers))]
        var changed = log.bytes
        changed[4] ^= 1
        let all: [(id: String, bytes: [UInt8], reason: String?, [(String, JSONText.Value)])] = [
            ("ima-ng", log.bytes, nil, given),
            ("ima-ng-prefix", log.bytes, nil, [("pcr10", registers(complete))]),
            ("ima-ng-neg-hash", changed, "ima-template-hash-mismatch", given),
            (
                "ima-ng-neg-pcr", log.bytes, "ima-pcr-mismatch",
                [("pcr10", registers(complete.map { ($0, SNPVectors.changed($1)) }))]
            ),
            ("ima-ng-neg-short", Array(log.bytes.dropLast()), "malformed", given),
        ]
        for (id, bytes, reason, inputs) in all {
            set.add(
                VectorEntry(
                    id: id, kind: "ima-log-binary",
                    tags: ["ima"] + (reason == nil ? [] : ["negative"]),
                    files: [(set.file("ima/\(id).bin", bytes), "ima-log-binary")],
                    cases: [VectorCase(name: "replay", reason: reason, inputs: inputs)]))
        }
    }

    private func registers(_ values: [(HashAlgorithm, [UInt8])]) -> JSONText.Value {
        .object(values.map { ($0.rawValue, .string(Hex.encode($1))) })
    }
}

/// Writes `binary_runtime_measurements` of IMA with the template `ima-ng`, as a current kernel does.
///
/// Layout: Linux, `security/integrity/ima/ima_fs.c`; little-endian.
struct IMALogWriter {
    private(set) var bytes: [UInt8] = []
    /// PCR 10 of each bank.
    private(set) var registers: [(HashAlgorithm, [UInt8])] = [
        (.sha1, [UInt8](repeating: 0, count: 20)), (.sha256, [UInt8](repeating: 0, count: 32)),
    ]

    /// A file that was measured.
    mutating func add(_ path: String, digest: [UInt8]) {
        let data = Self.data(path, digest: digest)
        write(hash: OpenSSLHashing().digest(.sha1, data), data)
        extend { OpenSSLHashing().digest($0, data) }
    }

    /// A file that was read while it was written: its hash is zero, the registers get all ones.
    mutating func addViolation(_ path: String) {
        write(
            hash: [UInt8](repeating: 0, count: 20),
            Self.data(path, digest: [UInt8](repeating: 0, count: 32)))
        extend { [UInt8](repeating: 0xff, count: $0.size) }
    }

    private mutating func extend(_ value: (HashAlgorithm) -> [UInt8]) {
        registers = registers.map {
            ($0, OpenSSLHashing().digest($0, $1 + value($0)))
        }
    }

    private mutating func write(hash: [UInt8], _ data: [UInt8]) {
        var entry = ByteWriter()
        entry.littleEndian(UInt32(10))
        entry.raw(hash)
        entry.littleEndian(UInt32(6))
        entry.raw(Array("ima-ng".utf8))
        entry.littleEndian(UInt32(data.count))
        entry.raw(data)
        bytes += entry.bytes
    }

    private static func data(_ path: String, digest: [UInt8]) -> [UInt8] {
        var data = ByteWriter()
        for field in [Array("sha256:\0".utf8) + digest, Array(path.utf8) + [0]] {
            data.littleEndian(UInt32(field.count))
            data.raw(field)
        }
        return data.bytes
    }
}
