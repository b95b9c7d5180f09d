import Bytes
import Evidence

/// IMA logs in text and in binary, signatures in them, runtime policies and their patterns.
enum IMATarget {
    static func log(_ input: [UInt8], _ forms: [IMALogForm]) {
        _ = try? IMALogForm(detecting: Array(input.prefix(600)))
        for form in forms {
            // In one piece and in many the same entries have to be found.
            precondition(
                entries(input, form, part: input.count) == entries(input, form, part: 7),
                "parts make a difference")
        }
    }

    /// A sum over the entries up to the end, or to the first error.
    private static func entries(_ input: [UInt8], _ form: IMALogForm, part: Int) -> [Int] {
        var reader = IMALogReader(form)
        var seen: [Int] = []
        for start in stride(from: 0, to: input.count, by: max(1, part)) {
            reader.append(input[start..<min(start + max(1, part), input.count)])
            while (try? reader.next()) ?? false {
                let entry = reader.entry
                precondition(entry.dataByteCount <= entry.data.count)
                seen += [entry.dataByteCount, entry.digest.count, entry.path.utf8.count]
                _ = try? IMASignature(parsing: Array(entry.data[entry.signature]))
            }
        }
        return seen
    }

    static func policy(_ input: [UInt8]) {
        if let policy = try? IMARuntimePolicy(parsing: input) {
            _ = policy.excludes.matches(input, 0..<min(input.count, 256))
        }
        _ = try? DSSEEnvelope(parsing: input)
        let pattern = String(decoding: input.prefix(64), as: UTF8.self)
        if let pattern = try? PathPattern(anyOf: [pattern]) {
            _ = pattern.matches(input, 0..<min(input.count, 256))
        }
    }

    private static let digest = [UInt8](repeating: 7, count: 32)
    private static let zeros = String(repeating: "07", count: 32)
    private static let hash = String(repeating: "ab", count: 20)

    static var textSeeds: [[UInt8]] {
        [
            "10 \(hash) ima-ng sha256:\(zeros) /a\n10 \(hash) ima-sig sha256:\(zeros) /b 0302\n",
            "10 \(hash) ima-ngv2 verity:sha256:\(zeros) /a\n10 \(hash) ima \(hash) /c\n",
            "10 \(hash) ima-modsig sha256:\(zeros) /a   \n10 \(hash) iuid|imode 1 2\n",
        ].map { Array($0.utf8) }
    }

    static var binarySeeds: [[UInt8]] {
        var writer = ByteWriter()
        let fields = [Array("sha256:".utf8) + [0] + digest, [47, 97, 0], [3, 2, 4]]
        for (template, count) in [("ima-ng", 2), ("ima-sig", 3), ("ima-buf", 3), ("d-ng", 1)] {
            var data = ByteWriter()
            for field in fields.prefix(count) {
                data.littleEndian(UInt32(field.count))
                data.raw(field)
            }
            writer.littleEndian(UInt32(10))
            writer.raw([UInt8](repeating: 1, count: 20))
            writer.littleEndian(UInt32(template.utf8.count))
            writer.raw(template.utf8)
            writer.littleEndian(UInt32(data.bytes.count))
            writer.raw(data.bytes)
        }
        return [writer.bytes]
    }

    static var policySeeds: [[UInt8]] {
        [
            #"{"digests":{"/a":["HASH"]},"excludes":["/tmp/(a|b)*[^c-d]{1,3}$"]}"#,
            "HASH  /a\n", #"{"payload":"e30=","payloadType":"a","signatures":[{"sig":"AQ=="}]}"#,
            "/(a|b)+?[x-z\\d]{2,}$",
        ].map { Array($0.replacing("HASH", with: hash).utf8) }
    }
}
