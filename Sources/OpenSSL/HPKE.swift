public import Bytes

/// Hybrid public key encryption of RFC 9180 in base mode, for one message with each key:
/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
///
/// OpenSSL has HPKE of its own only since 3.2; this is the RFC on OpenSSL's primitives.
public enum HPKE {
    /// Seals `plaintext` to `publicKey`.
    ///
    /// - Parameter ephemeral: 32 fresh random bytes, never used again.
    public static func seal(
        to publicKey: FixedBytes<32>, info: [UInt8], aad: [UInt8],
        plaintext: borrowing SecretBytes, ephemeral: consuming SecretBytes
    ) throws(CryptoError) -> (enc: FixedBytes<32>, ciphertext: [UInt8]) {
        let key = try X25519.privateKey(X25519.clamp(ephemeral))
        let enc = try X25519.publicKey(of: key)
        let shared = try X25519.sharedSecret(key, with: publicKey)
        let schedule = Schedule(shared: shared, enc: enc, recipient: publicKey, info: info)
        let ciphertext = try AESGCM.seal(
            key: schedule.key, nonce: schedule.nonce, aad: aad, plaintext: plaintext)
        return (enc, ciphertext)
    }

    /// Key and nonce of the first message (RFC 9180, sections 4.1 and 5.1).
    struct Schedule: ~Copyable {
        let key: SecretBytes
        let nonce: FixedBytes<12>

        init(
            shared: borrowing SecretBytes, enc: FixedBytes<32>, recipient: FixedBytes<32>,
            info: [UInt8]
        ) {
            let kem = Labels(suite: Array("KEM".utf8) + [0x00, 0x20])
            let prk = kem.extract(label: "eae_prk", secret: shared)
            let secret = kem.expand(
                prk, label: "shared_secret", info: enc.bytes + recipient.bytes, count: 32)

            let suite = Labels(
                suite: Array("HPKE".utf8) + [0x00, 0x20] + [0x00, 0x01] + [0x00, 0x02])
            let context =
                [0x00] + suite.extractPublic(label: "psk_id_hash", [])
                + suite.extractPublic(label: "info_hash", info)
            let master = suite.extractWithoutPSK(salt: secret)
            key = suite.expand(master, label: "key", info: context, count: 32)
            let nonce = suite.expand(master, label: "base_nonce", info: context, count: 12)
            var plain = FixedBytes<12>()
            unsafe nonce.withBytes { bytes in
                for index in 0..<12 { unsafe plain[index] = bytes[index] }
            }
            self.nonce = plain
        }
    }

    /// LabeledExtract and LabeledExpand under one suite_id (RFC 9180, section 4).
    private struct Labels {
        let suite: [UInt8]

        private func prefix(_ label: String) -> [UInt8] {
            Array("HPKE-v1".utf8) + suite + Array(label.utf8)
        }

        func extract(label: String, secret: borrowing SecretBytes) -> SecretBytes {
            let code = MessageAuthenticationCode(publicKey: [])
            code.update(prefix(label))
            unsafe secret.withBytes { unsafe code.update($0) }
            return code.finish()
        }

        func extractPublic(label: String, _ input: [UInt8]) -> [UInt8] {
            let code = MessageAuthenticationCode(publicKey: [])
            code.update(prefix(label) + input)
            return code.finishPublic().bytes
        }

        /// The `secret` of the key schedule; base mode has an empty pre-shared key.
        func extractWithoutPSK(salt: borrowing SecretBytes) -> SecretBytes {
            let code = unsafe salt.withBytes { unsafe MessageAuthenticationCode(key: $0) }
            code.update(prefix("secret"))
            return code.finish()
        }

        func expand(
            _ key: borrowing SecretBytes, label: String, info: [UInt8], count: Int
        ) -> SecretBytes {
            let length = [UInt8(count >> 8), UInt8(count & 0xff)]
            return HKDF.expand(key, info: length + prefix(label) + info, count: count)
        }
    }
}

/// A recipient's key; for one connection, then gone.
public struct HPKEPrivateKey: ~Copyable {
    /// What goes into HELLO.
    public let publicKey: FixedBytes<32>

    /// Clamped, so that the bytes in memory are the ones the curve works with.
    private let scalar: SecretBytes

    /// Makes a key of 32 random bytes.
    public init(scalar random: consuming SecretBytes) throws(CryptoError) {
        let clamped = try X25519.clamp(random)
        let publicKey = try X25519.publicKey(of: X25519.privateKey(clamped))
        OpenSSLLibrary.wipeStack()
        self.publicKey = publicKey
        scalar = clamped
    }

    /// Opens what ``HPKE/seal(to:info:aad:plaintext:ephemeral:)`` gave.
    ///
    /// - Throws: `CryptoError.notAuthentic` unless key, info, aad and ciphertext all agree.
    public borrowing func open(
        enc: FixedBytes<32>, info: [UInt8], aad: [UInt8], ciphertext: [UInt8]
    ) throws(CryptoError) -> SecretBytes {
        let shared = try X25519.sharedSecret(X25519.privateKey(scalar), with: enc)
        let schedule = HPKE.Schedule(shared: shared, enc: enc, recipient: publicKey, info: info)
        return try AESGCM.open(
            key: schedule.key, nonce: schedule.nonce, aad: aad, ciphertext: ciphertext)
    }
}
