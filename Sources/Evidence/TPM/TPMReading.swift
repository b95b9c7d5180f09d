import Bytes

extension ByteReader {
    /// Takes a TPM2B: a length of two bytes, big-endian, then so many bytes.
    @_lifetime(self: copy self)
    mutating func sized(
        _ field: String, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> [UInt8] {
        try opaque(field, lengthBytes: 2, within: bounds)
    }

    /// Takes a TPMI_ALG_HASH that can be computed here.
    @_lifetime(self: copy self)
    mutating func hashAlgorithm(_ field: String) throws(ParseError) -> HashAlgorithm {
        let identifier = try bigEndian(field, as: UInt16.self)
        guard let algorithm = HashAlgorithm(tpmIdentifier: identifier) else {
            throw .invalid(
                field: field,
                rule: "is \(TPMIdentifier.algorithm(identifier)), "
                    + "must be one of SHA-1, SHA-256, SHA-384, SHA-512")
        }
        return algorithm
    }
}
