public import Bytes
internal import COpenSSL

/// AES-256-GCM of NIST SP 800-38D with 12-byte nonces and 16-byte tags.
///
/// A nonce may be used once only with a key; choosing it is the caller's part.
public enum AESGCM {
    /// Bytes that sealing adds.
    public static let tagSize = 16

    /// The longest text taken, in bytes: the arena holds every plaintext.
    public static let maximumCount = 1 << 16

    /// Encrypts `plaintext`; gives ciphertext, then tag.
    public static func seal(
        key: borrowing SecretBytes, nonce: FixedBytes<12>, aad: [UInt8],
        plaintext: borrowing SecretBytes
    ) throws(CryptoError) -> [UInt8] {
        guard plaintext.count <= maximumCount else {
            throw .wrongLength(
                field: "plaintext", expected: "at most \(maximumCount)", actual: plaintext.count)
        }
        let context = try CipherContext(key: key, nonce: nonce, aad: aad, encrypts: true)
        var sealed = [UInt8](repeating: 0, count: plaintext.count + tagSize)
        let done = unsafe plaintext.withBytes { text in
            unsafe sealed.withUnsafeMutableBytes { output in
                unsafe context.update(text, into: output.baseAddress) && context.finish()
                    && context.tag(into: output.baseAddress.map { unsafe $0 + text.count })
            }
        }
        OpenSSLLibrary.wipeStack()
        guard done else { throw .library(OpenSSLFault("EVP_EncryptUpdate")) }
        return sealed
    }

    /// Decrypts what ``seal(key:nonce:aad:plaintext:)`` gave; nothing leaves if the tag is wrong.
    public static func open(
        key: borrowing SecretBytes, nonce: FixedBytes<12>, aad: [UInt8], ciphertext: [UInt8]
    ) throws(CryptoError) -> SecretBytes {
        guard (tagSize...maximumCount + tagSize).contains(ciphertext.count) else {
            throw .wrongLength(
                field: "ciphertext", expected: "\(tagSize) to \(maximumCount + tagSize)",
                actual: ciphertext.count)
        }
        let context = try CipherContext(key: key, nonce: nonce, aad: aad, encrypts: false)
        var tag = Array(ciphertext.suffix(tagSize))
        defer { OpenSSLLibrary.wipeStack() }
        return try unsafe SecretBytes(
            count: ciphertext.count - tagSize
        ) { block throws(CryptoError) in
            let opened = unsafe ciphertext.withUnsafeBytes { sealed in
                let text = unsafe UnsafeRawBufferPointer(rebasing: sealed.dropLast(tagSize))
                return unsafe context.expect(tag: &tag)
                    && context.update(text, into: block.baseAddress) && context.finish()
            }
            guard opened else {
                ERR_clear_error()
                throw .notAuthentic
            }
        }
    }
}

/// One encryption or decryption under way.
@safe private struct CipherContext: ~Copyable {
    private static let algorithm = Algorithm()

    private let context: OpaquePointer

    init(
        key: borrowing SecretBytes, nonce: FixedBytes<12>, aad: [UInt8], encrypts: Bool
    ) throws(CryptoError) {
        guard key.count == 32 else {
            throw .wrongLength(field: "key", expected: "32", actual: key.count)
        }
        guard let context = unsafe EVP_CIPHER_CTX_new() else {
            throw .library(OpenSSLFault("EVP_CIPHER_CTX_new"))
        }
        let started = unsafe key.withBytes { key in
            unsafe EVP_CipherInit_ex2(
                context, Self.algorithm.handle, key.bindMemory(to: UInt8.self).baseAddress,
                nonce.bytes, encrypts ? 1 : 0, nil)
        }
        var written: Int32 = 0
        guard started == 1,
            unsafe EVP_CipherUpdate(context, nil, &written, aad, Int32(aad.count)) == 1
        else {
            unsafe EVP_CIPHER_CTX_free(context)
            throw .library(OpenSSLFault("EVP_CipherInit_ex2"))
        }
        unsafe self.context = context
    }

    func update(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer?) -> Bool {
        guard unsafe !text.isEmpty else { return true }
        var written: Int32 = 0
        return unsafe EVP_CipherUpdate(
            context, output?.assumingMemoryBound(to: UInt8.self), &written,
            text.bindMemory(to: UInt8.self).baseAddress, Int32(text.count)) == 1
            && Int(written) == text.count
    }

    /// Ends the operation: when decrypting, this is where the tag is compared.
    func finish() -> Bool {
        var rest = [UInt8](repeating: 0, count: 16)
        var written: Int32 = 0
        return unsafe EVP_CipherFinal_ex(context, &rest, &written) == 1 && written == 0
    }

    func tag(into output: UnsafeMutableRawPointer?) -> Bool {
        unsafe bootgate_EVP_CIPHER_CTX_get_tag(context, 16, output) == 1
    }

    func expect(tag: inout [UInt8]) -> Bool {
        unsafe bootgate_EVP_CIPHER_CTX_set_tag(context, Int32(tag.count), &tag) == 1
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(context)
    }

    /// AES-256-GCM, fetched once; lives as long as the process.
    @safe private final class Algorithm: @unchecked Sendable {
        let handle: OpaquePointer

        init() {
            guard let handle = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
                preconditionFailure("this libcrypto has no AES-256-GCM")
            }
            unsafe self.handle = handle
        }
    }
}
