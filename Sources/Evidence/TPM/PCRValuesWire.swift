public import Bytes

extension PCRValues {
    /// The longest encoding: four banks of 32 registers.
    public static let maximumByteCount = 4 * 3 + 32 * (4 + 20 + 32 + 48 + 64)

    /// Reads the form of the launch protocol: for each bank its TPM_ALG_ID (u16, big-endian), the number
    /// of registers (u8), and for each its number (u8, ascending) and digest. Banks by ascending id.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("PCR values") { reader throws(ParseError) in
            var values = PCRValues()
            var previousBank: UInt16 = 0
            while reader.remaining > 0 || values.banks.isEmpty {
                let algorithm = try reader.hashAlgorithm("PCR bank")
                guard algorithm.tpmIdentifier > previousBank else {
                    throw .invalid(field: "PCR bank", rule: "banks must ascend, each there once")
                }
                previousBank = algorithm.tpmIdentifier
                try values.readBank(algorithm, &reader)
            }
            return values
        }
    }

    private mutating func readBank(
        _ algorithm: HashAlgorithm, _ reader: inout ByteReader
    ) throws(ParseError) {
        let count = try reader.uint8("PCR count")
        guard (1...32).contains(count) else {
            throw .outOfRange(field: "PCR count", value: UInt64(count))
        }
        var previous: UInt8?
        for _ in 0..<count {
            let index = try reader.uint8("PCR index")
            if let previous, index <= previous {
                throw .invalid(field: "PCR index", rule: "registers must ascend, each there once")
            }
            previous = index
            let digest = try reader.bytes("PCR digest", count: algorithm.size)
            try insert(digest, at: index, in: algorithm)
        }
    }

    /// The form that ``init(parsing:)`` reads.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        let ordered = banks.filter { !$0.value.isEmpty }
            .sorted { $0.key.tpmIdentifier < $1.key.tpmIdentifier }
        for (algorithm, registers) in ordered {
            writer.bigEndian(algorithm.tpmIdentifier)
            writer.uint8(UInt8(registers.count))
            for (index, digest) in registers.sorted(by: { $0.key < $1.key }) {
                writer.uint8(index)
                writer.raw(digest)
            }
        }
        return writer.bytes
    }
}
