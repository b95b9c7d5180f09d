import Bytes
import Evidence

/// What a TPM and Azure's paravisor send.
enum TPMTarget {
    /// Quotes, signatures, public areas and names: what is accepted keeps its bytes.
    static func structures(_ input: [UInt8]) {
        if let quote = try? TPMAttestation(parsing: input) {
            precondition(quote.signedBytes == input, "other bytes than those that were read")
            precondition(quote.selection.selectsSame(as: quote.selection), "not itself")
        }
        _ = try? TPMSignature(parsing: input)
        if let area = try? TPMPublic(parsing: input) {
            precondition(area.bytes == input, "other bytes than those that were read")
            let name = area.name(hashing: WeakHashing())
            precondition((try? TPMName(parsing: name.bytes)) == name, "a name changes")
        }
        _ = try? TPMPublic(parsingSized: input)
    }

    /// Register values in each form: what is accepted survives the encoding of the protocol, and
    /// that has one spelling.
    static func values(_ input: [UInt8]) {
        let wire = try? PCRValues(parsing: input)
        precondition(wire.map { $0.encoded == input } ?? true, "two texts for the same values")
        for values in [wire, try? PCRValues(json: input), try? PCRValues(toolsFile: input)] {
            guard let values else { continue }
            precondition((try? PCRValues(parsing: values.encoded)) == values, "values change")
        }
    }

    /// The paravisor's report and runtime data.
    static func paravisor(_ input: [UInt8]) {
        _ = try? HCLRuntimeData(parsing: input)
        guard let report = try? HCLReport(parsing: input) else { return }
        precondition(report.variableData.count <= input.count, "more data than there was")
        _ = report.reportData(hashing: WeakHashing())
        _ = try? HCLRuntimeData(parsing: report.variableData)
    }

    static var structureSeeds: [[UInt8]] {
        let name: [UInt8] = [0, 34, 0, 0x0b] + [UInt8](repeating: 1, count: 32)
        let quote: [UInt8] =
            [0xff, 0x54, 0x43, 0x47, 0x80, 0x18] + name + [0, 2, 7, 7]
            + [UInt8](repeating: 0, count: 16) + [1] + [UInt8](repeating: 0, count: 8)
            + [0, 0, 0, 2, 0, 0x0b, 3, 1, 0, 0, 0, 4, 3, 0, 4, 0, 0, 32]
            + [UInt8](repeating: 2, count: 32)
        let number = [UInt8](repeating: 0x81, count: 256)
        let area: [UInt8] = [0, 1, 0, 0x0b, 0, 5, 0, 0x72, 0, 0]
        return [
            quote, [0, 0x14, 0, 0x0b, 1, 0] + number, [0, 0x18, 0, 0x0c, 0, 1, 1, 0, 1, 2],
            area + [0, 0x10, 0, 0x14, 0, 0x0b, 8, 0, 0, 0, 0, 0, 1, 0] + number,
            [0, 0x23, 0, 0x0b, 0, 3, 0, 0xb2, 0, 0, 0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10]
                + [0, 1, 1, 0, 1, 2],
        ]
    }

    static var valueSeeds: [[UInt8]] {
        let digest = [UInt8](repeating: 7, count: 20)
        var file: [UInt8] = [1, 0, 0, 0, 4, 0, 3, 1, 0, 0, 0, 0]
        file += [UInt8](repeating: 0, count: 120) + [1, 0, 0, 0, 1, 0, 0, 0, 20, 0] + digest
        file += [UInt8](repeating: 0, count: 44 + 66 * 7)
        let json = #"{"sha1":{"3":"\#(String(repeating: "07", count: 20))"}}"#
        return [[0, 4, 2, 0] + digest + [3] + digest, Array(json.utf8), file]
    }

    static var paravisorSeeds: [[UInt8]] {
        let text = Array(
            """
            {"keys":[{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"gAAB"}],\
            "vm-configuration":{"secure-boot":true},"user-data":"\(String(repeating: "0", count: 128))"}
            """.utf8)
        let size = UInt32(text.count)
        return [(UInt32(2), UInt32(1)), (4, 2)].map { type, hash in
            var writer = ByteWriter()
            writer.raw(Array("HCLA".utf8))
            for field in [2, size + 1236, 2, 0] { writer.littleEndian(field) }
            writer.zeros(12 + 1184)
            for field in [size + 20, 1, type, hash, size] { writer.littleEndian(field) }
            writer.raw(text)
            writer.zeros(3)
            return writer.bytes
        } + [text]
    }
}
