public import Bytes

/// The public area of an asymmetric TPM key: TPMT_PUBLIC of type RSA or ECC.
///
/// TCG TPM 2.0 Library, Part 2, section TPMT_PUBLIC and those it names. All integers are big-endian.
/// `init(parsing:)` is in `TPMPublicParser.swift`.
public struct TPMPublic: Sendable, Equatable {
    /// The longest TPMT_PUBLIC that is read, in bytes.
    public static let maximumByteCount = 1024

    /// The numbers that make the key.
    public enum Key: Sendable, Equatable {
        /// Modulus, big-endian, as long as `bits` says, and the exponent.
        case rsa(bits: UInt16, exponent: UInt32, modulus: [UInt8])
        /// A point, both coordinates big-endian, not padded.
        case ecc(curve: Curve, x: [UInt8], y: [UInt8])
    }

    /// The curves that anything is verified with here.
    public enum Curve: UInt16, Sendable, CaseIterable {
        /// TPM_ECC_NIST_P256.
        case p256 = 0x0003
        /// TPM_ECC_NIST_P384.
        case p384 = 0x0004
        /// TPM_ECC_NIST_P521.
        case p521 = 0x0005

        /// Bytes in a coordinate.
        public var coordinateSize: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }
    }

    /// The cipher that protects a storage key's children, and secrets sent to an endorsement key.
    public struct Symmetric: Sendable, Equatable {
        /// AES with a key of so many bits: 128, 192 or 256; the mode is CFB.
        public let keyBits: UInt16
    }

    /// The signing scheme that a key is fixed to; nil where each use chooses.
    public enum Scheme: Sendable, Equatable {
        /// RSASSA-PKCS1-v1_5.
        case rsassa(HashAlgorithm)
        /// RSASSA-PSS.
        case rsapss(HashAlgorithm)
        /// ECDSA.
        case ecdsa(HashAlgorithm)
        /// Any other, such as a scheme for decryption, by its name.
        case other(String)
    }

    /// TPMT_PUBLIC as received: what the name is a digest of.
    public let bytes: [UInt8]
    /// nameAlg.
    public let nameAlgorithm: HashAlgorithm
    /// objectAttributes.
    public let attributes: TPMKeyAttributes
    /// authPolicy: empty, or a digest by ``nameAlgorithm``.
    public let authPolicy: [UInt8]
    /// symmetric; nil for a key that is no storage key.
    public let symmetric: Symmetric?
    /// scheme.
    public let scheme: Scheme?
    /// The key itself.
    public let key: Key

    /// The object's name: ``nameAlgorithm`` and the digest of ``bytes``.
    public func name(hashing: some Hashing) -> TPMName {
        TPMName(checked: nameAlgorithm, hashing.digest(nameAlgorithm, bytes))
    }
}
