public import Bytes

/// The name of a TPM object: the digest of its public area, with the hash function that made it.
///
/// TCG TPM 2.0 Library, Part 1, section "Names"; the qualified name of a quote's signer has the same
/// shape but is a digest over the name and all its parents.
public struct TPMName: Sendable, Hashable {
    /// The function that ``digest`` was made with: nameAlg of the object.
    public let algorithm: HashAlgorithm
    /// As many bytes as the function gives.
    public let digest: [UInt8]

    /// Joins both; nil unless the digest has the function's length.
    public init?(algorithm: HashAlgorithm, digest: [UInt8]) {
        guard digest.count == algorithm.size else { return nil }
        self.algorithm = algorithm
        self.digest = digest
    }

    /// Reads exactly one name: TPM_ALG_ID, big-endian, then the digest.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try Self.parse(bytes, "TPM2B_NAME")
    }

    static func parse(_ bytes: [UInt8], _ field: String) throws(ParseError) -> TPMName {
        try bytes.parse(field) { reader throws(ParseError) in
            let algorithm = try reader.hashAlgorithm(field)
            let digest = try reader.bytes(field, count: algorithm.size)
            return TPMName(checked: algorithm, digest)
        }
    }

    init(checked algorithm: HashAlgorithm, _ digest: [UInt8]) {
        self.algorithm = algorithm
        self.digest = digest
    }

    /// TPM_ALG_ID, big-endian, then the digest.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(algorithm.tpmIdentifier)
        writer.raw(digest)
        return writer.bytes
    }
}

extension TPMName: CustomStringConvertible {
    /// Lower-case hexadecimal digits of ``bytes``, as tpm2-tools prints a name.
    public var description: String { Hex.encode(bytes) }
}
