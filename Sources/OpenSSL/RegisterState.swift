public import Bytes
internal import COpenSSL

/// A register that is extended very often, and the short hashes that go with that; allocates once.
public struct RegisterState: Sendable {
    /// The bank.
    public let bank: HashAlgorithm
    /// The register's value, and behind it the digest that extends it.
    private var block: [UInt8]

    /// A register of `bank` that holds `value`, which has the bank's size; zero unless given.
    public init(_ bank: HashAlgorithm, value: [UInt8]? = nil) {
        self.bank = bank
        let zero = [UInt8](repeating: 0, count: bank.size)
        precondition(value.map { $0.count == bank.size } ?? true)
        block = (value ?? zero) + zero
    }

    /// What the register holds.
    public var value: [UInt8] { Array(block.prefix(bank.size)) }

    /// Whether the register holds `value`.
    public func holds(_ value: [UInt8]) -> Bool {
        guard value.count == bank.size else { return false }
        for index in 0..<value.count where value[index] != block[index] { return false }
        return true
    }

    /// Extends with the digest of the first `count` of `bytes`.
    public mutating func extend(digestOf bytes: [UInt8], count: Int) {
        ShortHash.hash(bank, bytes, count: count, into: &block, at: bank.size)
        ShortHash.hashInPlace(bank, &block)
    }

    /// Extends with `digest`, cut or padded with zeros to the bank's size.
    public mutating func extend(padded digest: [UInt8]) {
        for index in 0..<bank.size {
            block[bank.size + index] = index < digest.count ? digest[index] : 0
        }
        ShortHash.hashInPlace(bank, &block)
    }

    /// Extends with one byte over and over, as the kernel does for what it could not measure.
    public mutating func extend(filledWith byte: UInt8) {
        for index in bank.size..<2 * bank.size { block[index] = byte }
        ShortHash.hashInPlace(bank, &block)
    }
}

/// Hashes of short inputs into memory that is at hand.
public enum ShortHash {
    /// Writes the digest of the first `count` of `bytes` to `target`, `algorithm.size` bytes from `start` on.
    public static func hash(
        _ algorithm: HashAlgorithm, _ bytes: [UInt8], count: Int, into target: inout [UInt8],
        at start: Int
    ) {
        precondition(count >= 0 && count <= bytes.count)
        precondition(start >= 0 && start <= target.count - algorithm.size)
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe target.withUnsafeMutableBufferPointer { target in
                // Neither is empty where it counts: the target holds a digest, and no bytes are read of none.
                guard let out = target.baseAddress else { return }
                unsafe hash(algorithm, source.baseAddress, count, out + start)
            }
        }
    }

    /// Writes the digest of all of `block` to its front.
    static func hashInPlace(_ algorithm: HashAlgorithm, _ block: inout [UInt8]) {
        unsafe block.withUnsafeMutableBufferPointer { block in
            guard let out = block.baseAddress else { return }
            unsafe hash(algorithm, out, block.count, out)
        }
    }

    @inline(__always)
    private static func hash(
        _ algorithm: HashAlgorithm, _ source: UnsafePointer<UInt8>?, _ count: Int,
        _ target: UnsafeMutablePointer<UInt8>
    ) {
        switch algorithm {
        case .sha1: unsafe bootgate_sha1(source, count, target)
        case .sha256: unsafe bootgate_sha256(source, count, target)
        case .sha384: unsafe bootgate_sha384(source, count, target)
        case .sha512: unsafe bootgate_sha512(source, count, target)
        }
    }
}
