public import Bytes
internal import COpenSSL

/// A public key that files are signed with for IMA: RSA of 1024 bits and more, or ECDSA on any curve.
///
/// Wider than ``VerificationKey``, since distributions and kernels have signed files with keys that no
/// evidence may come with; which keys count is for the owner to say.
public struct FileSigningKey: Sendable {
    /// The key's last four bytes by SHA-1, and those of the subject key identifier of its certificate:
    /// what a signature names its key by (Linux, Documentation/ABI/testing/evm; ima-evm-utils, `calc_keyid_v2`).
    public let identifiers: Set<UInt32>

    private let handle: KeyHandle
    private let isRSA: Bool

    /// Reads one SubjectPublicKeyInfo or certificate, in DER or PEM.
    public init(parsing data: [UInt8]) throws(CryptoError) {
        guard data.count <= 65536 else {
            throw .wrongLength(
                field: "file signing key", expected: "at most 65536", actual: data.count)
        }
        let der = PEM.publicKey(data) ?? PEM.certificate(data) ?? data
        var identifiers: Set<UInt32> = []
        var key: OpaquePointer?
        if let certificate = try? X509Certificate(der: der) {
            unsafe key = X509_get_pubkey(certificate.handle.pointer)
            // OCTET STRING within the extension: two bytes in front.
            if let subject = certificate.handle.extensionValue(oid: "2.5.29.14"), subject.count >= 6
            {
                identifiers.insert(Self.lastBytes(subject))
            }
        } else {
            unsafe key = der.withUnsafeBufferPointer { buffer in
                var start = buffer.baseAddress
                let end = unsafe start.map { unsafe $0 + buffer.count }
                let key = unsafe d2i_PUBKEY(nil, &start, buffer.count)
                guard unsafe start == end else {
                    unsafe EVP_PKEY_free(key)
                    return nil
                }
                return unsafe key
            }
        }
        guard let key = unsafe key else {
            ERR_clear_error()
            throw .unsupportedKey("expected one public key or certificate, in DER or PEM")
        }
        handle = unsafe KeyHandle(owning: key)
        unsafe isRSA = EVP_PKEY_is_a(key, "RSA") == 1
        let isEC = unsafe EVP_PKEY_is_a(key, "EC") == 1
        let bits = unsafe EVP_PKEY_get_bits(key)
        guard isEC || isRSA && (1024...8192).contains(bits) else {
            throw .unsupportedKey("a file signing key must be RSA of 1024 to 8192 bits, or EC")
        }
        identifiers.insert(
            Self.lastBytes(OpenSSLHashing().digest(.sha1, unsafe Self.bits(of: key))))
        self.identifiers = identifiers
    }

    /// Whether this key's owner signed `digest`: RSASSA-PKCS1-v1_5, or ECDSA in DER.
    public func verify(_ signature: [UInt8], overDigest digest: [UInt8], _ hash: HashAlgorithm)
        -> Bool
    {
        guard digest.count == hash.size,
            let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil)
        else { return false }
        defer {
            unsafe EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        guard unsafe EVP_PKEY_verify_init(context) == 1 else { return false }
        if isRSA {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_signature_md(context, Digest.of(hash).handle) == 1
            else { return false }
        }
        return unsafe EVP_PKEY_verify(
            context, signature, signature.count, digest, digest.count) == 1
    }

    private static func lastBytes(_ bytes: [UInt8]) -> UInt32 {
        bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The contents of the key's BIT STRING.
    private static func bits(of key: OpaquePointer) -> [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_PublicKey(key, &start)
        defer { unsafe CRYPTO_free(start, nil, 0) }
        guard count > 0 else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }
}
