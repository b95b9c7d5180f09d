/// Builds a message that holds secrets, in the secret arena from its first byte.
///
/// The capacity is the caller's sum of what will be appended; going beyond it is a mistake of ours
/// and traps.
public struct SecretWriter: ~Copyable {
    private let block: SecretBytes
    private var used = 0

    /// Takes room for `capacity` bytes.
    public init(capacity: Int) {
        block = unsafe SecretBytes(count: capacity) { _ in }
    }

    /// Appends one byte.
    public mutating func append(_ byte: UInt8) {
        precondition(used < block.count)
        unsafe block.withBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(mutating: bytes)[used] = byte
        }
        used += 1
    }

    /// Appends public bytes.
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { append(byte) }
    }

    /// Appends the bytes of a secret.
    public mutating func append(_ secret: borrowing SecretBytes) {
        for index in 0..<secret.count {
            append(unsafe secret.withBytes { unsafe $0[index] })
        }
    }

    /// Appends padded Base64 text of a secret, `(count + 2) / 3 * 4` characters.
    public mutating func append(base64 secret: borrowing SecretBytes) {
        for start in stride(from: 0, to: secret.count, by: 3) {
            let group = min(3, secret.count - start)
            var bits: UInt32 = 0
            for index in 0..<group {
                let byte = unsafe secret.withBytes { unsafe $0[start + index] }
                bits |= UInt32(byte) << (16 - 8 * index)
            }
            for index in 0..<4 {
                append(
                    index <= group
                        ? Self.character(UInt8(bits >> (18 - 6 * index) & 0x3f))
                        : UInt8(ascii: "="))
            }
        }
    }

    /// What was appended, and no more.
    public consuming func finish() -> SecretBytes {
        let used = used
        return unsafe SecretBytes(count: used) { target in
            unsafe block.withBytes { source in
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<used]))
            }
        }
    }

    /// Computed rather than looked up, so that no cache line tells which character it was.
    private static func character(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + (value - 26)
        case 52..<62: UInt8(ascii: "0") + (value - 52)
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

extension SecretBytes {
    /// The value of padded Base64 text (RFC 4648, section 4), or nil for any other text.
    public init?(base64 text: RawSpan) {
        let count = text.byteCount
        guard count > 0, count.isMultiple(of: 4) else { return nil }
        func digit(_ index: Int) -> UInt8? {
            // In bounds: `index` is below `count` at every call.
            switch unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self) {
            case let byte where (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte): byte - 65
            case let byte where (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte): byte - 71
            case let byte where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): byte + 4
            case UInt8(ascii: "+"): 62
            case UInt8(ascii: "/"): 63
            default: nil
            }
        }
        var padding = 0
        while padding < 2,
            unsafe text.unsafeLoad(fromByteOffset: count - 1 - padding, as: UInt8.self)
                == UInt8(ascii: "=")
        {
            padding += 1
        }
        var writer = SecretWriter(capacity: count / 4 * 3)
        var bits: UInt32 = 0
        for index in 0..<count - padding {
            guard let value = digit(index) else { return nil }
            bits = bits << 6 | UInt32(value)
            if index % 4 == 3 {
                for shift in [16, 8, 0] { writer.append(UInt8(truncatingIfNeeded: bits >> shift)) }
                bits = 0
            }
        }
        switch padding {
        case 1:
            guard bits & 0x3 == 0 else { return nil }
            writer.append(UInt8(truncatingIfNeeded: bits >> 10))
            writer.append(UInt8(truncatingIfNeeded: bits >> 2))
        case 2:
            guard bits & 0xf == 0 else { return nil }
            writer.append(UInt8(truncatingIfNeeded: bits >> 4))
        default: break
        }
        self = writer.finish()
    }
}
