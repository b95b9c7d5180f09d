public import Bytes

extension PCRValues {
    /// Reads the JSON form: bank (`sha256`) to register (`"7"`) to digest in hexadecimal digits.
    public init(json text: [UInt8]) throws(ParseError) {
        let limits = JSONReader.Limits(byteCount: 64 << 10, depth: 2, values: 256)
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.parse(text, limits: limits)
        } catch {
            throw .invalid(field: "PCR values", rule: "must be JSON, \(error)")
        }
        guard let members = value.members, !members.isEmpty else {
            throw .invalid(field: "PCR values", rule: "must be an object of banks")
        }
        self.init()
        for member in members {
            guard let algorithm = HashAlgorithm(rawValue: member.name) else {
                throw .invalid(
                    field: "PCR bank", rule: "must be one of sha1, sha256, sha384, sha512")
            }
            guard let registers = member.value.members, !registers.isEmpty else {
                throw .invalid(field: "PCR bank", rule: "must be an object of registers")
            }
            for register in registers { try insert(register, in: algorithm) }
        }
    }

    private mutating func insert(
        _ register: JSONValue.Member, in algorithm: HashAlgorithm
    ) throws(ParseError) {
        guard let index = UInt8(register.name), "\(index)" == register.name else {
            throw .invalid(field: "PCR", rule: "must be a number of 0 to 31 without leading zeros")
        }
        guard let text = register.value.string, let digest = Hex.decode(text) else {
            throw .invalid(field: "PCR \(index)", rule: "must be hexadecimal digits")
        }
        try insert(digest, at: index, in: algorithm)
    }

    /// Reads the file that `tpm2_quote --pcr` writes in its form `serialized`.
    ///
    /// It is memory of tpm2-tools on a little-endian machine, not TPM marshalling: TPML_PCR_SELECTION
    /// (count u32, 16 entries of hash u16, size u8, bitmap 4, padding 1), the number of TPML_DIGEST
    /// (u32), and those (count u32, 8 entries of size u16 and 64 bytes). The digests follow the
    /// selection, at most 8 in a list. Unused parts have to be zero.
    public init(toolsFile bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("PCR file of tpm2-tools") { reader throws(ParseError) in
            let registers = try Self.toolsSelection(&reader)
            let lists = try reader.littleEndian("TPML_DIGEST lists", as: UInt32.self)
            guard (1...16).contains(lists) else {
                throw .outOfRange(field: "TPML_DIGEST lists", value: UInt64(lists))
            }
            var digests: [[UInt8]] = []
            for _ in 0..<lists { digests += try Self.toolsDigests(&reader) }
            guard digests.count == registers.count else {
                throw .invalid(
                    field: "TPML_DIGEST",
                    rule: "has \(digests.count) digests for \(registers.count) selected registers")
            }
            var values = PCRValues()
            for (register, digest) in zip(registers, digests) {
                try values.insert(digest, at: register.index, in: register.algorithm)
            }
            return values
        }
    }

    private static func toolsSelection(
        _ reader: inout ByteReader
    ) throws(ParseError) -> [(algorithm: HashAlgorithm, index: UInt8)] {
        let count = try reader.littleEndian("TPML_PCR_SELECTION.count", as: UInt32.self)
        guard (1...16).contains(count) else {
            throw .outOfRange(field: "TPML_PCR_SELECTION.count", value: UInt64(count))
        }
        var registers: [(algorithm: HashAlgorithm, index: UInt8)] = []
        for _ in 0..<count {
            let identifier = try reader.littleEndian("TPMS_PCR_SELECTION.hash", as: UInt16.self)
            guard let algorithm = HashAlgorithm(tpmIdentifier: identifier) else {
                throw .invalid(
                    field: "TPMS_PCR_SELECTION.hash",
                    rule: "is \(TPMIdentifier.algorithm(identifier)), not known here")
            }
            let size = try reader.uint8("sizeofSelect")
            guard size == 3 || size == 4 else {
                throw .outOfRange(field: "sizeofSelect", value: UInt64(size))
            }
            let bitmap = try reader.bytes("pcrSelect", count: Int(size))
            try reader.mustBeZero("pcrSelect padding", count: 5 - Int(size))
            registers += try PCRSelection.indices(bitmap).map { (algorithm, $0) }
        }
        try reader.mustBeZero("unused selections", count: 8 * (16 - Int(count)))
        return registers
    }

    private static func toolsDigests(_ reader: inout ByteReader) throws(ParseError) -> [[UInt8]] {
        let count = try reader.littleEndian("TPML_DIGEST.count", as: UInt32.self)
        guard (1...8).contains(count) else {
            throw .outOfRange(field: "TPML_DIGEST.count", value: UInt64(count))
        }
        var digests: [[UInt8]] = []
        for _ in 0..<count {
            let size = try reader.littleEndian("TPM2B_DIGEST.size", as: UInt16.self)
            guard (20...64).contains(size) else {
                throw .outOfRange(field: "TPM2B_DIGEST.size", value: UInt64(size))
            }
            digests.append(try reader.bytes("TPM2B_DIGEST", count: Int(size)))
            try reader.mustBeZero("TPM2B_DIGEST padding", count: 64 - Int(size))
        }
        try reader.mustBeZero("unused digests", count: 66 * (8 - Int(count)))
        return digests
    }
}
