import Bytes

/// The public area that a primary key is made from: TPMT_PUBLIC (part 2, table 192).
public struct TPMTemplate: Equatable, Sendable {
    /// TPMT_PUBLIC, marshalled.
    public let bytes: [UInt8]

    /// A template from elsewhere, such as an NV index; the TPM judges it.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign, and noDA.
    private static let attestation: UInt32 = 0x0005_0472
    /// The attributes of TCG's default EK templates: adminWithPolicy instead of userWithAuth, decrypt.
    private static let endorsement: UInt32 = 0x0003_00b2
    /// TPM2_PolicySecret(TPM_RH_ENDORSEMENT) (EK Credential Profile 2.5, B.3.3 and B.3.4).
    private static let endorsementPolicy = Hex.decode(
        "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")

    /// A restricted P-256 key that signs what the TPM itself says, with ECDSA and SHA-256.
    ///
    /// - Parameter label: 32 bytes at most; another label makes another key.
    public static func attestationP256(label: String) -> TPMTemplate {
        var writer = head(type: 0x0023, attributes: attestation, policy: [])
        // symmetric: TPM_ALG_NULL; scheme: TPM_ALG_ECDSA, SHA-256; curve: P-256; kdf: TPM_ALG_NULL
        for field in [0x0010, 0x0018, 0x000b, 0x0003, 0x0010] as [UInt16] {
            writer.bigEndian(field)
        }
        writer.opaque(padded(label, to: 32), lengthBytes: 2)
        writer.opaque([UInt8](repeating: 0, count: 32), lengthBytes: 2)
        return TPMTemplate(bytes: writer.bytes)
    }

    /// As ``attestationP256(label:)`` with RSA of 2048 bits, RSASSA and SHA-256, for a TPM without the
    /// curve.
    public static func attestationRSA(label: String) -> TPMTemplate {
        var writer = head(type: 0x0001, attributes: attestation, policy: [])
        // symmetric: TPM_ALG_NULL; scheme: TPM_ALG_RSASSA, SHA-256; keyBits; exponent: 65537
        for field in [0x0010, 0x0014, 0x000b, 2048, 0, 0] as [UInt16] { writer.bigEndian(field) }
        writer.opaque(padded(label, to: 256), lengthBytes: 2)
        return TPMTemplate(bytes: writer.bytes)
    }

    /// TCG's default RSA-2048 endorsement key (template L-1).
    public static var endorsementRSA: TPMTemplate {
        var writer = head(
            type: 0x0001, attributes: endorsement, policy: endorsementPolicy ?? [])
        // symmetric: AES-128-CFB; scheme: TPM_ALG_NULL; keyBits; exponent: 65537
        for field in [0x0006, 128, 0x0043, 0x0010, 2048, 0, 0] as [UInt16] {
            writer.bigEndian(field)
        }
        writer.opaque([UInt8](repeating: 0, count: 256), lengthBytes: 2)
        return TPMTemplate(bytes: writer.bytes)
    }

    /// TCG's default P-256 endorsement key (template L-2).
    public static var endorsementP256: TPMTemplate {
        var writer = head(
            type: 0x0023, attributes: endorsement, policy: endorsementPolicy ?? [])
        // symmetric: AES-128-CFB; scheme: TPM_ALG_NULL; curve: P-256; kdf: TPM_ALG_NULL
        for field in [0x0006, 128, 0x0043, 0x0010, 0x0003, 0x0010] as [UInt16] {
            writer.bigEndian(field)
        }
        writer.opaque([UInt8](repeating: 0, count: 32), lengthBytes: 2)
        writer.opaque([UInt8](repeating: 0, count: 32), lengthBytes: 2)
        return TPMTemplate(bytes: writer.bytes)
    }

    private static func head(type: UInt16, attributes: UInt32, policy: [UInt8]) -> ByteWriter {
        var writer = ByteWriter()
        writer.bigEndian(type)
        writer.bigEndian(HashAlgorithm.sha256.tpmIdentifier)
        writer.bigEndian(attributes)
        writer.opaque(policy, lengthBytes: 2)
        return writer
    }

    private static func padded(_ label: String, to count: Int) -> [UInt8] {
        let bytes = Array(label.utf8.prefix(count))
        return bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }
}
