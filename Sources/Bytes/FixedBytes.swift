/// A public value of exactly `count` bytes: a digest, a nonce, an identifier. Never a secret.
public struct FixedBytes<let count: Int>: Sendable {
    @usableFromInline var storage: InlineArray<count, UInt8>

    /// All zero.
    @inlinable public init() {
        storage = InlineArray(repeating: 0)
    }

    @inlinable init(storage: InlineArray<count, UInt8>) {
        self.storage = storage
    }

    /// Copies `bytes`; nil unless there are exactly `count`.
    @inlinable public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == count else { return nil }
        storage = InlineArray(repeating: 0)
        for (index, byte) in bytes.enumerated() {
            storage[index] = byte
        }
    }

    /// Reads exactly `2 * count` hexadecimal digits of either case; nil otherwise.
    public init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// The byte at `index`, which must be within `0..<count`.
    @inlinable public subscript(index: Int) -> UInt8 {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    /// The bytes as an array.
    @inlinable public var bytes: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            unsafe storage.span.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
            }
            filled = count
        }
    }

    /// Lower-case hexadecimal digits.
    public var hex: String { Hex.encode(bytes) }

    /// Whether every byte is zero.
    @inlinable public var isZero: Bool {
        (0..<count).allSatisfy { storage[$0] == 0 }
    }
}

extension FixedBytes: Hashable {
    /// Compares in time that depends on `count` only.
    @inlinable public static func == (left: Self, right: Self) -> Bool {
        var difference: UInt8 = 0
        for index in 0..<count {
            difference |= left.storage[index] ^ right.storage[index]
        }
        return difference == 0
    }

    /// Feeds all bytes.
    @inlinable public func hash(into hasher: inout Hasher) {
        for index in 0..<count {
            hasher.combine(storage[index])
        }
    }
}

extension FixedBytes: CustomStringConvertible {
    /// Lower-case hexadecimal digits.
    public var description: String { hex }
}
