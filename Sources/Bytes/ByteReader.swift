/// Reads fields from the front of borrowed bytes; every failure names the field.
///
/// A length from the wire is compared with what is left before it is used, never added to an offset.
/// End each structure with ``finish(_:)``, so that trailing bytes are refused.
public struct ByteReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline var offset = 0

    /// Reads `bytes` from their start.
    @_lifetime(copy bytes)
    @inlinable public init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    /// How many bytes have not been read.
    @inlinable public var remaining: Int { bytes.byteCount - offset }

    /// Takes one byte.
    @_lifetime(self: copy self)
    @inlinable public mutating func uint8(_ field: String) throws(ParseError) -> UInt8 {
        try require(1, field)
        defer { offset += 1 }
        return byte(at: offset)
    }

    /// Takes an integer in network byte order (RFC 8446, section 3.3).
    @_lifetime(self: copy self)
    @inlinable public mutating func bigEndian<T: FixedWidthInteger & UnsignedInteger>(
        _ field: String, as type: T.Type = T.self
    ) throws(ParseError) -> T {
        try bigEndian(field, byteCount: T.bitWidth / 8, as: type)
    }

    /// Takes an integer of `byteCount` bytes in network byte order, such as a `uint24`.
    @_lifetime(self: copy self)
    @inlinable public mutating func bigEndian<T: FixedWidthInteger & UnsignedInteger>(
        _ field: String, byteCount: Int, as type: T.Type = T.self
    ) throws(ParseError) -> T {
        try require(byteCount, field)
        var value: T = 0
        for index in 0..<byteCount {
            value = value << 8 | T(byte(at: offset + index))
        }
        offset += byteCount
        return value
    }

    /// Takes a little-endian integer, as in AMD's and Intel's structures.
    @_lifetime(self: copy self)
    @inlinable public mutating func littleEndian<T: FixedWidthInteger & UnsignedInteger>(
        _ field: String, as type: T.Type = T.self
    ) throws(ParseError) -> T {
        let byteCount = T.bitWidth / 8
        try require(byteCount, field)
        var value: T = 0
        for index in (0..<byteCount).reversed() {
            value = value << 8 | T(byte(at: offset + index))
        }
        offset += byteCount
        return value
    }

    /// Takes exactly `count` bytes.
    @_lifetime(self: copy self)
    public mutating func bytes(_ field: String, count: Int) throws(ParseError) -> [UInt8] {
        try require(count, field)
        let start = offset
        offset += count
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(target).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[start..<(start + count)]))
            }
            filled = count
        }
    }

    /// Takes a field of a size fixed by its specification.
    @_lifetime(self: copy self)
    @inlinable public mutating func fixed<let count: Int>(
        _ field: String, as type: FixedBytes<count>.Type = FixedBytes<count>.self
    ) throws(ParseError) -> FixedBytes<count> {
        try require(count, field)
        // In bounds: `require` said so.
        let storage = unsafe bytes.unsafeLoadUnaligned(
            fromByteOffset: offset, as: InlineArray<count, UInt8>.self)
        offset += count
        return FixedBytes(storage: storage)
    }

    /// Takes `opaque field<minimum..maximum>`: a length of `lengthBytes` bytes, then so many bytes.
    @_lifetime(self: copy self)
    public mutating func opaque(
        _ field: String, lengthBytes: Int, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> [UInt8] {
        let count = try length(field, lengthBytes: lengthBytes, within: bounds)
        return try bytes(field, count: count)
    }

    /// Takes `opaque field<minimum..maximum>` of key material, straight into the arena.
    @_lifetime(self: copy self)
    public mutating func secret(
        _ field: String, lengthBytes: Int, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> SecretBytes {
        let count = try length(field, lengthBytes: lengthBytes, within: bounds)
        try require(count, field)
        defer { offset += count }
        return unsafe SecretBytes(count: count) { block in
            for index in 0..<count {
                unsafe block[index] = byte(at: offset + index)
            }
        }
    }

    /// Passes over `count` bytes that readers have to ignore.
    @_lifetime(self: copy self)
    public mutating func skip(_ field: String, count: Int) throws(ParseError) {
        try require(count, field)
        offset += count
    }

    /// Takes `count` reserved bytes, which must be zero.
    @_lifetime(self: copy self)
    @inlinable public mutating func mustBeZero(_ field: String, count: Int) throws(ParseError) {
        try require(count, field)
        for index in 0..<count where byte(at: offset + index) != 0 {
            throw .reservedNotZero(field: field)
        }
        offset += count
    }

    /// Refuses whatever follows the structure.
    public func finish(_ structure: String) throws(ParseError) {
        guard remaining == 0 else {
            throw .trailingBytes(structure: structure, count: remaining)
        }
    }

    @_lifetime(self: copy self)
    private mutating func length(
        _ field: String, lengthBytes: Int, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> Int {
        let length = Int(try bigEndian(field, byteCount: lengthBytes, as: UInt32.self))
        guard bounds.contains(length) else {
            throw .lengthOutOfBounds(
                field: field, length: length, minimum: bounds.lowerBound,
                maximum: bounds.upperBound)
        }
        return length
    }

    @inlinable func require(_ count: Int, _ field: String) throws(ParseError) {
        guard count >= 0, count <= remaining else {
            throw .truncated(field: field, needed: count, available: remaining)
        }
    }

    @inlinable func byte(at index: Int) -> UInt8 {
        // In bounds: every caller went through `require`.
        unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }
}

extension Array<UInt8> {
    /// Parses one whole structure: `body` reads it, and nothing may follow.
    public func parse<T>(
        _ structure: String, _ body: (inout ByteReader) throws(ParseError) -> T
    ) throws(ParseError) -> T {
        var reader = unsafe ByteReader(span.bytes)
        let value = try body(&reader)
        try reader.finish(structure)
        return value
    }
}

extension SecretBytes {
    /// Parses one whole structure out of the arena: `body` reads it, and nothing may follow.
    public borrowing func parse<T: ~Copyable>(
        _ structure: String, _ body: (inout ByteReader) throws(ParseError) -> T
    ) throws(ParseError) -> T {
        try unsafe withBytes { bytes throws(ParseError) in
            var reader = unsafe ByteReader(bytes.bytes)
            let value = try body(&reader)
            try reader.finish(structure)
            return value
        }
    }
}
