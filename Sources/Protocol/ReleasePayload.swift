public import Bytes

/// What RELEASE seals. Its keys never leave the secret arena.
public struct ReleasePayload: ~Copyable, Sendable {
    /// The launch that CHALLENGE named.
    public let launchID: FixedBytes<16>
    /// The one keyslot to open, 0 to 31.
    public let keyslot: Int
    /// The keyslot's passphrase, 1 to 512 bytes.
    public let key: SecretBytes
    /// HKDF(volume key, "bootgate vk id"): what the opened keyslot must yield.
    public let volumeKeyCheck: FixedBytes<32>
    /// The passphrase to stage for the next launch, when the key rotates; 1 to 512 bytes.
    public let nextKey: SecretBytes?

    /// The longest key, in bytes.
    public static let maximumKeyLength = 512

    /// All fields; keys and keyslot are judged as parsing does.
    public init(
        launchID: FixedBytes<16>, keyslot: Int, key: consuming SecretBytes,
        volumeKeyCheck: FixedBytes<32>, nextKey: consuming SecretBytes? = nil
    ) throws(ParseError) {
        guard (0...31).contains(keyslot) else {
            throw .outOfRange(field: "keyslot", value: UInt64(clamping: keyslot))
        }
        try Self.judge("key", key.count)
        if let count = Self.count(nextKey) { try Self.judge("next_key", count) }
        self.launchID = launchID
        self.keyslot = keyslot
        self.key = key
        self.volumeKeyCheck = volumeKeyCheck
        self.nextKey = nextKey
    }

    /// Parses exactly one opened plaintext.
    public init(parsing plaintext: borrowing SecretBytes) throws(ParseError) {
        self = try plaintext.parse("RELEASE plaintext") { reader throws(ParseError) in
            let launchID: FixedBytes<16> = try reader.fixed("launch_id")
            let keyslot = try reader.uint8("keyslot")
            let key = try reader.secret("key", lengthBytes: 2, within: 1...Self.maximumKeyLength)
            let check: FixedBytes<32> = try reader.fixed("volume_key_check")
            let next = try reader.secret(
                "next_key", lengthBytes: 2, within: 0...Self.maximumKeyLength)
            let nextKey: SecretBytes? = if next.count == 0 { nil } else { next }
            return try ReleasePayload(
                launchID: launchID, keyslot: Int(keyslot), key: key, volumeKeyCheck: check,
                nextKey: nextKey)
        }
    }

    /// The plaintext to seal.
    public borrowing func encoded() -> SecretBytes {
        var head = ByteWriter()
        head.fixed(launchID)
        head.uint8(UInt8(keyslot))
        head.bigEndian(UInt16(key.count))
        var middle = ByteWriter()
        middle.fixed(volumeKeyCheck)
        let nextCount = Self.count(nextKey) ?? 0
        middle.bigEndian(UInt16(nextCount))
        let parts = (head.bytes, middle.bytes)
        return unsafe SecretBytes(
            count: parts.0.count + key.count + parts.1.count + nextCount
        ) { block in
            var rest = unsafe UnsafeMutableRawBufferPointer(rebasing: block[...])
            unsafe Self.append(parts.0, to: &rest)
            unsafe Self.append(key, to: &rest)
            unsafe Self.append(parts.1, to: &rest)
            switch nextKey {
            case .some(let next): unsafe Self.append(next, to: &rest)
            case .none: break
            }
        }
    }

    private static func judge(_ field: String, _ count: Int) throws(ParseError) {
        guard (1...maximumKeyLength).contains(count) else {
            throw .lengthOutOfBounds(
                field: field, length: count, minimum: 1, maximum: maximumKeyLength)
        }
    }

    private static func count(_ secret: borrowing SecretBytes?) -> Int? {
        switch secret {
        case .some(let secret): secret.count
        case .none: nil
        }
    }

    private static func append(_ bytes: [UInt8], to rest: inout UnsafeMutableRawBufferPointer) {
        for (index, byte) in bytes.enumerated() { unsafe rest[index] = byte }
        unsafe rest = UnsafeMutableRawBufferPointer(rebasing: rest[bytes.count...])
    }

    private static func append(
        _ secret: borrowing SecretBytes, to rest: inout UnsafeMutableRawBufferPointer
    ) {
        unsafe secret.withBytes { unsafe rest.copyMemory(from: $0) }
        unsafe rest = UnsafeMutableRawBufferPointer(rebasing: rest[secret.count...])
    }
}
