public import Bytes

/// A signature by a TPM key: TPMT_SIGNATURE.
///
/// TCG TPM 2.0 Library, Part 2, sections TPMT_SIGNATURE and TPMS_SIGNATURE_RSA, TPMS_SIGNATURE_ECC. All
/// integers are big-endian.
public struct TPMSignature: Sendable, Equatable {
    /// The numbers, by scheme.
    public enum Value: Sendable, Equatable {
        /// RSASSA-PKCS1-v1_5 of RFC 8017: as many bytes as the modulus.
        case rsassa([UInt8])
        /// RSASSA-PSS of RFC 8017, MGF1 over the same hash function.
        case rsapss([UInt8])
        /// ECDSA: two big-endian numbers, which some TPMs write without leading zeros.
        case ecdsa(r: [UInt8], s: [UInt8])
    }

    /// The scheme and its numbers.
    public let value: Value
    /// The hash function of the scheme, which also makes pcrDigest.
    public let hash: HashAlgorithm

    /// Joins both as they are.
    public init(value: Value, hash: HashAlgorithm) {
        self.value = value
        self.hash = hash
    }

    /// Reads exactly one signature; schemes other than the three are refused by name.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("TPMT_SIGNATURE") { reader throws(ParseError) in
            let scheme = try reader.bigEndian("sigAlg", as: UInt16.self)
            guard [0x0014, 0x0016, 0x0018].contains(scheme) else {
                throw .invalid(
                    field: "sigAlg",
                    rule: "is \(TPMIdentifier.algorithm(scheme)), "
                        + "must be one of RSASSA, RSAPSS, ECDSA")
            }
            let hash = try reader.hashAlgorithm("hash")
            if scheme == 0x0018 {
                let r = try reader.sized("signatureR", within: 1...66)
                let s = try reader.sized("signatureS", within: 1...66)
                return TPMSignature(value: .ecdsa(r: r, s: s), hash: hash)
            }
            let number = try reader.sized("sig", within: 128...512)
            return TPMSignature(
                value: scheme == 0x0014 ? .rsassa(number) : .rsapss(number), hash: hash)
        }
    }

    /// An RSASSA signature with SHA-256 that came without its TPMT_SIGNATURE, as Azure's tools keep it.
    ///
    /// - Throws: unless it has the length of a key of 1024 to 4096 bits.
    public init(bareRSASSASHA256 number: [UInt8]) throws(ParseError) {
        guard (128...512).contains(number.count) else {
            throw .lengthOutOfBounds(
                field: "signature", length: number.count, minimum: 128, maximum: 512)
        }
        self.init(value: .rsassa(number), hash: .sha256)
    }

    /// `RSASSA with sha256`, for findings.
    public var schemeName: String {
        let name =
            switch value {
            case .rsassa: "RSASSA"
            case .rsapss: "RSAPSS"
            case .ecdsa: "ECDSA"
            }
        return "\(name) with \(hash.rawValue)"
    }
}
