/// The hash functions that floor 1 needs and cannot have of itself; `OpenSSL` provides them.
public protocol Hashing: Sendable {
    /// SHA-256 of FIPS 180-4.
    func sha256(_ bytes: [UInt8]) -> FixedBytes<32>
    /// SHA-384 of FIPS 180-4.
    func sha384(_ bytes: [UInt8]) -> FixedBytes<48>
    /// SHA-512 of FIPS 180-4.
    func sha512(_ bytes: [UInt8]) -> FixedBytes<64>
    /// The digest of `bytes`, `algorithm.size` bytes long.
    func digest(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) -> [UInt8]
}
