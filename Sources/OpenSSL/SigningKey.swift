public import Bytes
internal import COpenSSL

/// A private key that signs certificates, handshakes or, in the simulator, reports.
///
/// Its numbers are on OpenSSL's heap; `OpenSSLLibrary.useSecretHeap` sees to their wiping.
public struct SigningKey: ~Copyable, Sendable {
    /// The kinds of key in use.
    public enum Kind: String, Sendable, CustomStringConvertible {
        /// ECDSA on P-256: TLS servers.
        case p256 = "P-256"
        /// ECDSA on P-384: chip keys (VCEK, VLEK).
        case p384 = "P-384"
        /// RSA of 4096 bits: AMD's roots and intermediates.
        case rsa4096 = "RSA-4096"

        /// The usual name.
        public var description: String { rawValue }
    }

    /// Which kind it is.
    public let kind: Kind
    /// SHA-256 of the DER SubjectPublicKeyInfo.
    public let publicKeyInfoDigest: FixedBytes<32>

    let handle: KeyHandle

    /// Makes a new key.
    public static func generate(_ kind: Kind) throws(CryptoError) -> SigningKey {
        let made =
            switch kind {
            case .p256: unsafe bootgate_generate_ec("P-256")
            case .p384: unsafe bootgate_generate_ec("P-384")
            case .rsa4096: unsafe bootgate_generate_rsa(4096)
            }
        guard let made = unsafe made else {
            throw .library(OpenSSLFault("EVP_PKEY_Q_keygen"))
        }
        return try unsafe SigningKey(KeyHandle(owning: made))
    }

    /// Reads an unencrypted key in PEM.
    public init(pem: borrowing SecretBytes) throws(CryptoError) {
        guard let read = KeyHandle(pem: pem) else {
            throw .unsupportedKey("expected an unencrypted private key in PEM")
        }
        try self.init(read)
    }

    private init(_ handle: KeyHandle) throws(CryptoError) {
        guard let kind = unsafe KeyHandle.kind(of: handle.pointer) else {
            throw .unsupportedKey("expected P-256, P-384 or RSA-4096")
        }
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe bootgate_private_key_digest(handle.pointer, &digest) == 1,
            let publicKeyInfoDigest = FixedBytes<32>(digest)
        else { throw .library(OpenSSLFault("X509_PUBKEY_set")) }
        self.handle = handle
        self.kind = kind
        self.publicKeyInfoDigest = publicKeyInfoDigest
    }

    /// The key as unencrypted PKCS #8 in PEM, for a file of mode 0600.
    public borrowing func pem() throws(CryptoError) -> SecretBytes {
        guard let bio = unsafe BIO_new(BIO_s_secmem()) else {
            throw .library(OpenSSLFault("BIO_new"))
        }
        defer { unsafe BIO_free(bio) }
        guard
            unsafe PEM_write_bio_PKCS8PrivateKey(bio, handle.pointer, nil, nil, 0, nil, nil) == 1
        else { throw .library(OpenSSLFault("PEM_write_bio_PKCS8PrivateKey")) }
        return unsafe SecretBytes(count: bootgate_BIO_pending(bio)) { block in
            let taken = unsafe BIO_read(bio, block.baseAddress, Int32(block.count))
            precondition(Int(taken) == block.count)
        }
    }

    /// ECDSA over SHA-384 of `bytes` by a P-384 key; both numbers big-endian, 48 bytes each.
    public borrowing func signP384SHA384(
        _ bytes: [UInt8]
    ) throws(CryptoError) -> (r: [UInt8], s: [UInt8]) {
        guard kind == .p384 else { throw .unsupportedKey("expected P-384, is \(kind)") }
        guard let context = unsafe EVP_MD_CTX_new() else {
            throw .library(OpenSSLFault("EVP_MD_CTX_new"))
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        var der = [UInt8](repeating: 0, count: 128)
        var count = der.count
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha384(), nil, handle.pointer) == 1,
            unsafe EVP_DigestSign(context, &der, &count, bytes, bytes.count) == 1,
            let numbers = ECDSASignature.numbers(of: Array(der.prefix(count)), size: 48)
        else { throw .library(OpenSSLFault("EVP_DigestSign")) }
        return numbers
    }

    /// The half that anybody may have.
    public var publicKey: VerificationKey {
        get throws(CryptoError) {
            var start: UnsafeMutablePointer<UInt8>?
            let count = unsafe i2d_PUBKEY(handle.pointer, &start)
            defer { unsafe CRYPTO_free(start, nil, 0) }
            guard count > 0 else { throw .library(OpenSSLFault("i2d_PUBKEY")) }
            return try unsafe VerificationKey(
                subjectPublicKeyInfo: Array(UnsafeBufferPointer(start: start, count: Int(count))))
        }
    }

    /// Signs `message`: RSA gives the bare number, ECDSA r || s, big-endian and padded to the curve.
    public borrowing func sign(
        _ message: [UInt8], scheme: VerificationKey.Scheme
    ) throws(CryptoError) -> [UInt8] {
        let digest = OpenSSLHashing().digest(scheme.hash, message)
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil) else {
            throw .library(OpenSSLFault("EVP_PKEY_CTX_new_from_pkey"))
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_sign_init(context) == 1 else {
            throw .library(OpenSSLFault("EVP_PKEY_sign_init"))
        }
        let size: Int
        switch (scheme, kind) {
        case (.ecdsa, .p256): size = 32
        case (.ecdsa, .p384): size = 48
        case (.rsaPKCS1, .rsa4096), (.rsaPSS, .rsa4096):
            size = 0
            let isPSS = scheme == .rsaPSS(scheme.hash)
            let padding = isPSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1,
                unsafe EVP_PKEY_CTX_set_signature_md(context, Digest.of(scheme.hash).handle) == 1,
                unsafe !isPSS
                    || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, Int32(scheme.hash.size)) == 1
            else { throw .library(OpenSSLFault("EVP_PKEY_CTX_set_rsa_padding")) }
        default:
            throw .unsupportedKey("a \(kind) key does not sign by this scheme")
        }
        var signature = [UInt8](repeating: 0, count: 1024)
        var count = signature.count
        guard unsafe EVP_PKEY_sign(context, &signature, &count, digest, digest.count) == 1 else {
            throw .library(OpenSSLFault("EVP_PKEY_sign"))
        }
        signature.removeLast(signature.count - count)
        guard size > 0 else { return signature }
        guard let numbers = ECDSASignature.numbers(of: signature, size: size) else {
            throw .library(OpenSSLFault("d2i_ECDSA_SIG"))
        }
        return numbers.r + numbers.s
    }
}
