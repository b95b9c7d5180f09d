public import Bytes

/// Which registers of which banks a quote is about: TPML_PCR_SELECTION.
///
/// TCG TPM 2.0 Library, Part 2, sections TPMS_PCR_SELECTION and TPML_PCR_SELECTION. All integers are
/// big-endian; PCR n is bit n modulo 8 of byte n / 8.
public struct PCRSelection: Sendable, Equatable {
    /// The registers of one bank.
    public struct Bank: Sendable, Hashable {
        /// The bank's hash function.
        public let algorithm: HashAlgorithm
        /// Numbers of registers, 0 to 31, ascending, at least one.
        public let indices: [UInt8]
    }

    /// The banks in the order of the list, each once; the digest of a quote depends on it.
    public let banks: [Bank]

    /// Selects `registers`, banks in the order of `HashAlgorithm`; nil for a bank without registers, a
    /// register above 31, or nothing at all.
    public init?(_ registers: [HashAlgorithm: Set<UInt8>]) {
        guard !registers.isEmpty else { return nil }
        for indices in registers.values {
            guard let last = indices.max(), last <= 31 else { return nil }
        }
        banks = HashAlgorithm.allCases.compactMap { algorithm in
            registers[algorithm].map { Bank(algorithm: algorithm, indices: $0.sorted()) }
        }
    }

    /// Reads one list; refuses what could be written in another way or selects nothing.
    init(from reader: inout ByteReader) throws(ParseError) {
        let count = try reader.bigEndian("TPML_PCR_SELECTION.count", as: UInt32.self)
        // HASH_COUNT of the reference code; a TPM in the field has at most four banks.
        guard (1...16).contains(count) else {
            throw .outOfRange(field: "TPML_PCR_SELECTION.count", value: UInt64(count))
        }
        var banks: [Bank] = []
        for _ in 0..<count {
            let algorithm = try reader.hashAlgorithm("TPMS_PCR_SELECTION.hash")
            guard !banks.contains(where: { $0.algorithm == algorithm }) else {
                throw .invalid(
                    field: "TPMS_PCR_SELECTION.hash", rule: "no bank may be selected twice")
            }
            let size = try reader.uint8("sizeofSelect")
            guard size == 3 || size == 4 else {
                throw .outOfRange(field: "sizeofSelect", value: UInt64(size))
            }
            let bitmap = try reader.bytes("pcrSelect", count: Int(size))
            banks.append(Bank(algorithm: algorithm, indices: try Self.indices(bitmap)))
        }
        self.banks = banks
    }

    static func indices(_ bitmap: [UInt8]) throws(ParseError) -> [UInt8] {
        var indices: [UInt8] = []
        for (offset, byte) in bitmap.enumerated() {
            for bit in 0..<8 where byte >> bit & 1 == 1 {
                indices.append(UInt8(8 * offset + bit))
            }
        }
        guard !indices.isEmpty else {
            throw .invalid(field: "pcrSelect", rule: "must select at least one register")
        }
        return indices
    }

    init(checked banks: [Bank]) {
        self.banks = banks
    }

    /// Whether both select the same registers, in whatever order of banks.
    public func selectsSame(as other: PCRSelection) -> Bool {
        Set(banks) == Set(other.banks)
    }

    /// Whether it selects register `index` of the bank of `algorithm`.
    public func contains(_ algorithm: HashAlgorithm, _ index: UInt8) -> Bool {
        banks.contains { $0.algorithm == algorithm && $0.indices.contains(index) }
    }
}

extension PCRSelection: CustomStringConvertible {
    /// As tpm2-tools writes it: `sha256:0,1,7+sha1:10`.
    public var description: String {
        banks.map { bank in
            let indices = bank.indices.map { "\($0)" }.joined(separator: ",")
            return "\(bank.algorithm.rawValue):\(indices)"
        }.joined(separator: "+")
    }
}
