public import Bytes
internal import COpenSSL

/// The primitives that a secret is sent to a TPM's storage key with.
///
/// TCG TPM 2.0 Library, Part 1, annexes B.10.4 (RSA) and C.6.1 (ECC), and section "Key Derivation
/// Function". What goes through here is a challenge that its answer shows again, never key material
/// of a disk, so it is kept in plain arrays.
public enum TPMSecretSharing {
    /// A seed, and how it travels.
    public struct Seed: Sendable {
        /// As long as a digest of the hash function.
        public let value: [UInt8]
        /// What TPM2B_ENCRYPTED_SECRET holds: an OAEP ciphertext, or a TPMS_ECC_POINT.
        public let encrypted: [UInt8]
    }

    /// Makes a seed that only the TPM with the private half of `key` can get at.
    ///
    /// - Parameters:
    ///   - key: RSA, P-256 or P-384.
    ///   - hash: nameAlg of the storage key.
    ///   - label: such as `IDENTITY`, without the zero that ends it on the wire.
    public static func seed(
        for key: VerificationKey, hash: HashAlgorithm, label: String
    ) throws(CryptoError) -> Seed {
        switch key.kind {
        case .rsa: return try rsaSeed(key, hash, label)
        case .p256: return try eccSeed(key, .p256, hash, label)
        case .p384: return try eccSeed(key, .p384, hash, label)
        case .p521: throw .unsupportedKey("a secret is sent to RSA, P-256 or P-384 only")
        }
    }

    /// KDFa: the counter mode of NIST SP 800-108 with HMAC.
    public static func kdfa(
        _ hash: HashAlgorithm, key: [UInt8], label: String, context: [UInt8], bits: Int
    ) throws(CryptoError) -> [UInt8] {
        var output: [UInt8] = []
        var counter: UInt32 = 1
        while output.count < bits / 8 {
            var message = ByteWriter()
            message.bigEndian(counter)
            message.raw(Array(label.utf8) + [0])
            message.raw(context)
            message.bigEndian(UInt32(bits))
            output += try hmac(hash, key: key, message.bytes)
            counter += 1
        }
        return Array(output.prefix(bits / 8))
    }

    /// HMAC of RFC 2104 with any of our hash functions.
    public static func hmac(
        _ hash: HashAlgorithm, key: [UInt8], _ message: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: hash.size)
        var written = 0
        let done = unsafe EVP_Q_mac(
            nil, "HMAC", nil, hash.rawValue, nil, key, key.count, message, message.count, &tag,
            tag.count, &written)
        guard unsafe done != nil, written == hash.size else {
            throw .library(OpenSSLFault("EVP_Q_mac"))
        }
        return tag
    }

    /// AES in CFB mode with an initialisation vector of zeros; each key is used once.
    ///
    /// - Parameter key: 16, 24 or 32 bytes.
    public static func aesCFB(key: [UInt8], _ plaintext: [UInt8]) throws(CryptoError) -> [UInt8] {
        let cipher: OpaquePointer? =
            switch key.count {
            case 16: unsafe EVP_aes_128_cfb128()
            case 24: unsafe EVP_aes_192_cfb128()
            case 32: unsafe EVP_aes_256_cfb128()
            default: nil
            }
        guard let cipher = unsafe cipher else {
            throw .wrongLength(field: "key", expected: "16, 24 or 32", actual: key.count)
        }
        guard let context = unsafe EVP_CIPHER_CTX_new() else {
            throw .library(OpenSSLFault("EVP_CIPHER_CTX_new"))
        }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let vector = [UInt8](repeating: 0, count: 16)
        var output = [UInt8](repeating: 0, count: plaintext.count)
        var written: Int32 = 0
        guard unsafe EVP_EncryptInit_ex(context, cipher, nil, key, vector) == 1,
            unsafe EVP_EncryptUpdate(
                context, &output, &written, plaintext, Int32(plaintext.count)) == 1,
            Int(written) == plaintext.count
        else { throw .library(OpenSSLFault("EVP_EncryptUpdate")) }
        return output
    }

    private static func rsaSeed(
        _ key: VerificationKey, _ hash: HashAlgorithm, _ label: String
    ) throws(CryptoError) -> Seed {
        var seed = [UInt8](repeating: 0, count: hash.size)
        guard unsafe RAND_priv_bytes(&seed, Int32(seed.count)) == 1 else {
            throw .library(OpenSSLFault("RAND_priv_bytes"))
        }
        let handle = try handle(of: key)
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil) else {
            throw .library(OpenSSLFault("EVP_PKEY_CTX_new_from_pkey"))
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        let digest = unsafe Digest.of(hash).handle
        // The label goes over with its final zero, and libcrypto frees its copy.
        let text = Array(label.utf8) + [0]
        guard let copy = unsafe CRYPTO_memdup(text, text.count, nil, 0) else {
            throw .library(OpenSSLFault("CRYPTO_memdup"))
        }
        guard unsafe EVP_PKEY_encrypt_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1,
            unsafe EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, Int32(text.count)) == 1
        else {
            unsafe CRYPTO_free(copy, nil, 0)
            throw .library(OpenSSLFault("EVP_PKEY_encrypt_init"))
        }
        var encrypted = [UInt8](repeating: 0, count: 512)
        var count = encrypted.count
        guard unsafe EVP_PKEY_encrypt(context, &encrypted, &count, seed, seed.count) == 1 else {
            throw .library(OpenSSLFault("EVP_PKEY_encrypt"))
        }
        return Seed(value: seed, encrypted: Array(encrypted.prefix(count)))
    }

    /// KDFe over the x coordinates of an ephemeral exchange.
    private static func eccSeed(
        _ key: VerificationKey, _ curve: SigningKey.Kind, _ hash: HashAlgorithm, _ label: String
    ) throws(CryptoError) -> Seed {
        let size = curve == .p256 ? 32 : 48
        let ephemeral = try SigningKey.generate(curve)
        let own = Array(try ephemeral.publicKey.subjectPublicKeyInfo.suffix(2 * size))
        let peer = Array(key.subjectPublicKeyInfo.suffix(2 * size))
        let shared = try agree(ephemeral, try handle(of: key), size)
        var message = ByteWriter()
        message.bigEndian(UInt32(1))
        message.raw(shared)
        message.raw(Array(label.utf8) + [0])
        message.raw(own.prefix(size))
        message.raw(peer.prefix(size))
        var point = ByteWriter()
        point.opaque(Array(own.prefix(size)), lengthBytes: 2)
        point.opaque(Array(own.suffix(size)), lengthBytes: 2)
        return Seed(
            value: OpenSSLHashing().digest(hash, message.bytes), encrypted: point.bytes)
    }

    /// The x coordinate of the shared point, padded to the curve.
    private static func agree(
        _ own: borrowing SigningKey, _ peer: KeyHandle, _ size: Int
    ) throws(CryptoError) -> [UInt8] {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, own.handle.pointer, nil) else {
            throw .library(OpenSSLFault("EVP_PKEY_CTX_new_from_pkey"))
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var shared = [UInt8](repeating: 0, count: size)
        var count = size
        guard unsafe EVP_PKEY_derive_init(context) == 1,
            unsafe EVP_PKEY_derive_set_peer(context, peer.pointer) == 1,
            unsafe EVP_PKEY_derive(context, &shared, &count) == 1, count == size
        else { throw .library(OpenSSLFault("EVP_PKEY_derive")) }
        return shared
    }

    private static func handle(of key: VerificationKey) throws(CryptoError) -> KeyHandle {
        let info = key.subjectPublicKeyInfo
        let read = unsafe info.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return unsafe d2i_PUBKEY(nil, &next, buffer.count)
        }
        guard let read = unsafe read else { throw .library(OpenSSLFault("d2i_PUBKEY")) }
        return unsafe KeyHandle(owning: read)
    }
}
