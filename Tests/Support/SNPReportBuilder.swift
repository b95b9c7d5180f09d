import Bytes

/// Makes the bytes of an SNP report that nobody signed; every field may be set, also to nonsense.
public struct SNPReportBuilder: Sendable {
    /// The report so far.
    public private(set) var bytes: [UInt8]

    /// A report that is well formed: VMPL 0, signed by a VCEK, debug and migration off.
    public init(version: UInt32 = 3, cpuid: [UInt8] = [0x19, 0x11, 0x01]) {
        bytes = Array(repeating: 0, count: 0x4a0)
        set(0x000, littleEndian: version)
        set(0x008, littleEndian: UInt64(0x3001f))
        set(0x034, littleEndian: UInt32(1))
        for offset in [0x038, 0x180, 0x1e0, 0x1f0] {
            set(offset, [10, 0, 0, 0, 0, 0, 23, 84])
        }
        set(0x040, littleEndian: UInt64(0x25))
        set(0x090, Array(repeating: 0xa1, count: 48))
        set(0x0c0, Array(repeating: 0xc0, count: 32))
        set(0x140, Array(repeating: 0x1d, count: 32))
        set(0x160, Array(repeating: 0xff, count: 32))
        if version >= 3 { set(0x188, cpuid) }
        set(0x1a0, Array(repeating: 0xc4, count: 64))
        set(0x1e8, [40, 55, 1, 0, 40, 55, 1, 0])
        set(0x2a0, Array(repeating: 0x11, count: 48))
        set(0x2e8, Array(repeating: 0x22, count: 48))
    }

    /// Overwrites bytes from `offset` on.
    public mutating func set(_ offset: Int, _ value: [UInt8]) {
        bytes.replaceSubrange(offset..<offset + value.count, with: value)
    }

    /// Overwrites an integer at `offset`.
    public mutating func set<T: FixedWidthInteger & UnsignedInteger>(
        _ offset: Int, littleEndian value: T
    ) {
        var writer = ByteWriter()
        writer.littleEndian(value)
        set(offset, writer.bytes)
    }

    /// The same report with one bit inverted.
    public func flipping(bit: Int, at offset: Int) -> SNPReportBuilder {
        var copy = self
        copy.bytes[offset] ^= 1 << bit
        return copy
    }
}
