/// Builds a message field by field; the counterpart of ``ByteReader``.
///
/// Lengths are our own here, so one that does not fit is a mistake of ours and traps.
public struct ByteWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    /// Starts empty.
    public init() {}

    /// Appends one byte.
    public mutating func uint8(_ value: UInt8) {
        bytes.append(value)
    }

    /// Appends an integer in network byte order.
    public mutating func bigEndian<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
        bigEndian(UInt64(value), byteCount: T.bitWidth / 8)
    }

    /// Appends the low `byteCount` bytes of `value` in network byte order; the rest must be zero.
    public mutating func bigEndian(_ value: UInt64, byteCount: Int) {
        precondition(byteCount == 8 || value >> (8 * byteCount) == 0)
        for shift in (0..<byteCount).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * shift)))
        }
    }

    /// Appends a little-endian integer.
    public mutating func littleEndian<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
        for shift in 0..<(T.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * shift)))
        }
    }

    /// Appends bytes as they are.
    public mutating func raw(_ value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
    }

    /// Appends a field of fixed size.
    public mutating func fixed<let count: Int>(_ value: FixedBytes<count>) {
        for index in 0..<count {
            bytes.append(value[index])
        }
    }

    /// Appends a length of `lengthBytes` bytes, then the bytes.
    public mutating func opaque(_ value: [UInt8], lengthBytes: Int) {
        bigEndian(UInt64(value.count), byteCount: lengthBytes)
        bytes.append(contentsOf: value)
    }

    /// Appends `count` zero bytes.
    public mutating func zeros(_ count: Int) {
        bytes.append(contentsOf: repeatElement(0, count: count))
    }
}
