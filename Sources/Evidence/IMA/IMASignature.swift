public import Bytes

/// A signature of a file, as security.ima holds it and the log repeats it.
///
/// Layout: Linux, security/integrity/integrity.h, `struct signature_v2_hdr`; integers are big-endian.
public struct IMASignature: Sendable, Equatable {
    /// What was signed.
    public enum Subject: Sendable, Equatable {
        /// The file's digest itself (version 2).
        case digest
        /// A structure of kind, function and digest (version 3), as for fs-verity.
        case identifier(kind: UInt8)
    }

    /// What was signed.
    public let subject: Subject
    /// The function of the digest.
    public let hash: HashAlgorithm
    /// Which key signed: the last bytes of its identifier.
    public let keyIdentifier: UInt32
    /// RSA number or ECDSA in DER.
    public let signature: [UInt8]

    /// Reads exactly one extended attribute of kind 3 (EVM_IMA_XATTR_DIGSIG), or of kind 6
    /// (IMA_VERITY_DIGSIG) with version 3.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("security.ima") { reader throws(ParseError) in
            let kind = try reader.uint8("type")
            let version = try reader.uint8("version")
            let subject: Subject
            switch (kind, version) {
            case (3, 2): subject = .digest
            case (3, 3), (6, 3): subject = .identifier(kind: kind)
            default:
                throw .invalid(
                    field: "type", rule: "is \(kind) of version \(version), must be a signature")
            }
            let number = try reader.uint8("hash_algo")
            guard let hash = Self.hash(number) else {
                throw .outOfRange(field: "hash_algo", value: UInt64(number))
            }
            let key: UInt32 = try reader.bigEndian("keyid")
            let count: UInt16 = try reader.bigEndian("sig_size")
            return IMASignature(
                subject: subject, hash: hash, keyIdentifier: key,
                signature: try reader.bytes("sig", count: Int(count)))
        }
    }

    private init(
        subject: Subject, hash: HashAlgorithm, keyIdentifier: UInt32, signature: [UInt8]
    ) {
        self.subject = subject
        self.hash = hash
        self.keyIdentifier = keyIdentifier
        self.signature = signature
    }

    /// include/uapi/linux/hash_info.h.
    private static func hash(_ number: UInt8) -> HashAlgorithm? {
        switch number {
        case 2: .sha1
        case 4: .sha256
        case 5: .sha384
        case 6: .sha512
        default: nil
        }
    }

    /// The digest that was signed for a file with `digest`.
    ///
    /// For version 3 (`struct ima_file_id`): kind, function and digest, hashed with the same function.
    public func signedDigest(of digest: [UInt8], _ hashing: some Hashing) -> [UInt8] {
        switch subject {
        case .digest: digest
        case .identifier(let kind):
            hashing.digest(hash, [kind, Self.number(hash)] + digest)
        }
    }

    private static func number(_ hash: HashAlgorithm) -> UInt8 {
        switch hash {
        case .sha1: 2
        case .sha256: 4
        case .sha384: 5
        case .sha512: 6
        }
    }
}
