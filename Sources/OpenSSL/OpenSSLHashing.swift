public import Bytes
internal import COpenSSL

/// SHA-1 and SHA-2 by OpenSSL.
public struct OpenSSLHashing: Hashing {
    /// Ready at once; the algorithms are looked up once for the whole process.
    public init() {}

    /// SHA-256 of FIPS 180-4.
    public func sha256(_ bytes: [UInt8]) -> FixedBytes<32> { Digest.sha256.hash(bytes) }

    /// SHA-384 of FIPS 180-4.
    public func sha384(_ bytes: [UInt8]) -> FixedBytes<48> { Digest.sha384.hash(bytes) }

    /// SHA-512 of FIPS 180-4.
    public func sha512(_ bytes: [UInt8]) -> FixedBytes<64> { Digest.sha512.hash(bytes) }

    /// The digest of `bytes`, `algorithm.size` bytes long.
    public func digest(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) -> [UInt8] {
        switch algorithm {
        case .sha1: (Digest.sha1.hash(bytes) as FixedBytes<20>).bytes
        case .sha256: sha256(bytes).bytes
        case .sha384: sha384(bytes).bytes
        case .sha512: sha512(bytes).bytes
        }
    }
}

/// A digest algorithm that was fetched once: OpenSSL 3.0 pays for a fetch with most of a short hash.
@safe final class Digest: @unchecked Sendable {
    static let sha1 = Digest("SHA1")
    static let sha256 = Digest("SHA2-256")
    static let sha384 = Digest("SHA2-384")
    static let sha512 = Digest("SHA2-512")

    /// Lives as long as the process.
    let handle: OpaquePointer

    /// Nil in FIPS mode; see ``RunningHash/md5()``.
    static let md5 = unsafe EVP_MD_fetch(nil, "MD5", nil).map { unsafe Digest($0) }

    private init(_ handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    private convenience init(_ name: String) {
        guard let digest = unsafe EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("this libcrypto has no \(name)")
        }
        unsafe self.init(digest)
    }

    /// The one that computes `algorithm`.
    static func of(_ algorithm: HashAlgorithm) -> Digest {
        switch algorithm {
        case .sha1: sha1
        case .sha256: sha256
        case .sha384: sha384
        case .sha512: sha512
        }
    }

    /// The digest of `bytes`, `count` bytes long.
    func hash<let count: Int>(_ bytes: [UInt8]) -> FixedBytes<count> {
        var digest = [UInt8](repeating: 0, count: count)
        var written: UInt32 = 0
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &written, handle, nil)
        guard done == 1, let result = FixedBytes<count>(digest) else {
            preconditionFailure("libcrypto could not hash \(bytes.count) bytes")
        }
        return result
    }
}
