public import Bytes
internal import COpenSSL

/// A digest of bytes that come in parts; ready for the next ones after each ``finish()``.
///
/// The function is fetched once and the state allocated once, for whoever hashes very many files.
@safe public struct RunningHash: ~Copyable {
    private let context: OpaquePointer
    private let function: OpaquePointer
    private let size: Int

    /// A digest of no bytes yet.
    public init(_ algorithm: HashAlgorithm) {
        self.init(Digest.of(algorithm), size: algorithm.size)
    }

    /// MD5 (RFC 1321), which proves nothing: dpkg has no other digest of its files. Nil where this libcrypto
    /// refuses it, as it does in FIPS mode.
    public static func md5() -> RunningHash? {
        guard let digest = Digest.md5 else { return nil }
        return RunningHash(digest, size: 16)
    }

    private init(_ digest: Digest, size: Int) {
        guard let context = unsafe EVP_MD_CTX_new() else {
            preconditionFailure("out of memory")
        }
        unsafe self.context = context
        unsafe function = digest.handle
        self.size = size
        begin()
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    private func begin() {
        let done = unsafe EVP_DigestInit_ex2(context, function, nil)
        precondition(done == 1, "libcrypto could not begin a digest")
    }

    /// Adds the first `count` of `bytes`.
    public mutating func update(_ bytes: [UInt8], count: Int) {
        precondition(count >= 0 && count <= bytes.count)
        let done = unsafe EVP_DigestUpdate(context, bytes, count)
        precondition(done == 1, "libcrypto could not hash")
    }

    /// The digest of all bytes so far; the next ones begin another.
    public mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        let done = unsafe EVP_DigestFinal_ex(context, &digest, nil)
        precondition(done == 1, "libcrypto could not end a digest")
        begin()
        return digest
    }
}
