public import Bytes
public import Evidence
public import OpenSSL

/// Proof that two keys are in one TPM: it opened a credential for the one with the other.
///
/// ``CredentialChallenge/activation(answer:)`` makes one; a ledger may keep both names and make it again,
/// since neither key can ever leave its TPM.
public struct KeyActivation: Sendable, Hashable {
    /// The endorsement key that the credential was sent to.
    public let endorsementKey: TPMName
    /// The attestation key that it was for.
    public let attestationKey: TPMName

    /// What a ledger has recorded of an answered challenge.
    public init(recordedEndorsementKey: TPMName, attestationKey: TPMName) {
        endorsementKey = recordedEndorsementKey
        self.attestationKey = attestationKey
    }
}

/// A credential that only a TPM can open that holds both keys: TPM2_MakeCredential, without a TPM.
///
/// TCG TPM 2.0 Library, Part 1, section "Credential Protection". The TPM opens it by
/// TPM2_ActivateCredential, which fails unless a key of exactly the attestation key's name is loaded.
/// The name covers the attributes, so a key that the caller found restricted is so in the TPM.
public struct CredentialChallenge: Sendable {
    /// TPM2B_ID_OBJECT, for the parameter credentialBlob.
    public let credentialBlob: [UInt8]
    /// TPM2B_ENCRYPTED_SECRET, for the parameter secret.
    public let encryptedSecret: [UInt8]

    private let secret: FixedBytes<32>
    private let names: KeyActivation

    /// Why no credential can be made.
    public enum Fault: Error, Equatable, Sendable {
        /// The endorsement key is no restricted decryption key that stays in its TPM.
        case notAnEndorsementKey(String)
        /// A primitive failed, or the key's numbers are none.
        case crypto(CryptoError)
    }

    /// Makes a credential.
    ///
    /// - Parameters:
    ///   - endorsementKey: a restricted decryption key, whose certificate or manifest the caller checks.
    ///   - attestationKey: the name of the key that is to be tied to it.
    ///   - secret: 32 random bytes, used once.
    public init(
        endorsementKey: TPMPublic, attestationKey: TPMName, secret: FixedBytes<32>
    ) throws(Fault) {
        guard let symmetric = endorsementKey.symmetric,
            endorsementKey.attributes.isSuperset(of: Self.wanted),
            !endorsementKey.attributes.contains(.sign)
        else {
            throw .notAnEndorsementKey(
                "expected a storage key with \(Self.wanted), not sign; "
                    + "got \(endorsementKey.attributes)")
        }
        do throws(CryptoError) {
            let hash = endorsementKey.nameAlgorithm
            let seed = try TPMSecretSharing.seed(
                for: endorsementKey.verificationKey, hash: hash, label: "IDENTITY")
            let name = attestationKey.bytes
            let key = try TPMSecretSharing.kdfa(
                hash, key: seed.value, label: "STORAGE", context: name,
                bits: Int(symmetric.keyBits))
            var credential = ByteWriter()
            credential.opaque(secret.bytes, lengthBytes: 2)
            let sealed = try TPMSecretSharing.aesCFB(key: key, credential.bytes)
            let integrityKey = try TPMSecretSharing.kdfa(
                hash, key: seed.value, label: "INTEGRITY", context: [], bits: 8 * hash.size)
            let integrity = try TPMSecretSharing.hmac(hash, key: integrityKey, sealed + name)
            var object = ByteWriter()
            object.opaque(integrity, lengthBytes: 2)
            object.raw(sealed)
            credentialBlob = Self.sized(object.bytes)
            encryptedSecret = Self.sized(seed.encrypted)
        } catch {
            throw .crypto(error)
        }
        self.secret = secret
        names = KeyActivation(
            recordedEndorsementKey: endorsementKey.name(hashing: OpenSSLHashing()),
            attestationKey: attestationKey)
    }

    /// The proof, if `answer` is what the credential held; the comparison takes the same time for any.
    public func activation(answer: [UInt8]) -> KeyActivation? {
        FixedBytes<32>(answer) == secret ? names : nil
    }

    private static let wanted: TPMKeyAttributes = [
        .restricted, .decrypt, .fixedTPM, .fixedParent, .sensitiveDataOrigin,
    ]

    private static func sized(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.opaque(bytes, lengthBytes: 2)
        return writer.bytes
    }
}
