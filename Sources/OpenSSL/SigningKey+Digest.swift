internal import COpenSSL

extension SigningKey {
    /// ECDSA by a P-256 key over a SHA-256 digest that was made elsewhere, in DER as
    /// `openssl dgst -sha256 -sign` makes it.
    ///
    /// - Throws: for a key of another kind, or a digest of another size than 32 bytes.
    public borrowing func derSignature(
        overDigest digest: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        guard kind == .p256, digest.count == 32 else {
            throw .unsupportedKey("expected P-256 and 32 bytes, is \(kind) and \(digest.count)")
        }
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil) else {
            throw .library(OpenSSLFault("EVP_PKEY_CTX_new_from_pkey"))
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 80)
        var count = signature.count
        guard unsafe EVP_PKEY_sign_init(context) == 1,
            unsafe EVP_PKEY_sign(context, &signature, &count, digest, digest.count) == 1
        else { throw .library(OpenSSLFault("EVP_PKEY_sign")) }
        return Array(signature.prefix(count))
    }
}
