public import Bytes

/// A LUKS2 header, copied to memory once and read from that copy only.
///
/// The disk is hostile: its bytes may change between two reads, so each byte is fetched at most once
/// and everything after that (rules, digest, the image for libcryptsetup) comes from the copy.
public struct LUKS2Header: Sendable {
    /// Bytes of metadata accepted at most: the default data offset of LUKS2, 16 MiB.
    public static let defaultLimit = 16 << 20

    /// Which of the two copies on the disk.
    public enum Copy: String, Sendable {
        /// The one at the start of the device.
        case primary
        /// The one behind it.
        case secondary
    }

    /// The copy that was chosen: the valid one with the higher sequence number, else the primary.
    public let copy: Copy
    /// The volume's UUID, in the spelling of the header.
    public let uuid: String
    /// Rises with each write of the header.
    public var sequence: UInt64 { binary.sequence }
    /// The JSON area's text, up to its first zero byte.
    public let jsonText: [UInt8]
    /// The keyslots in ascending order.
    public let keyslots: [LUKS2Keyslot]
    /// The segments in ascending order.
    public let segments: [LUKS2Segment]
    /// The digests in ascending order.
    public let digests: [LUKS2Digest]
    /// The tokens in ascending order.
    public let tokens: [LUKS2Token]

    /// Both headers and the space for keyslot areas, at most the limit; libcryptsetup wants a header
    /// file of at least this size, of which ``memoryImage(hashing:)`` is the start and the rest zero.
    public let metadataByteCount: Int

    let binary: LUKS2BinaryHeader
    /// The start of the device, up to the end of the last keyslot area.
    let image: [UInt8]

    /// Reads a header; `fetch` returns `count` bytes from `offset`, or fewer at the device's end.
    ///
    /// - Parameter limit: How many bytes from the start of the device are looked at, at most.
    /// - Throws: `LUKS2Fault` for anything but a sound header in the shapes that this code knows.
    public init(
        limit: Int = Self.defaultLimit, hashing: any Hashing,
        reading fetch: (_ offset: Int, _ count: Int) throws(LUKS2Fault) -> [UInt8]
    ) throws(LUKS2Fault) {
        var device = DeviceCopy(limit: limit)
        let primary = try device.copy(at: 0, hashing: hashing, fetch)
        var secondary: Result<HeaderCopy, ParseError>
        switch primary {
        case .success(let copy):
            secondary = try device.copy(at: copy.binary.headerSize, hashing: hashing, fetch)
        case .failure:
            secondary = try device.searchSecondary(hashing: hashing, fetch)
        }
        let chosen = try Self.choose(primary, secondary)
        let jsonText = Array(chosen.jsonArea.prefix { $0 != 0 })
        guard chosen.jsonArea[jsonText.count...].allSatisfy({ $0 == 0 }) else {
            throw .rule(
                path: "$", expected: "zero bytes after the JSON text", actual: "other bytes")
        }
        let json: JSONValue
        do {
            json = try JSONReader.parse(jsonText, limits: .init(byteCount: 4 << 20))
        } catch {
            throw .notJSON(error)
        }
        let metadata = try LUKS2Metadata(
            parsing: json, headerSize: chosen.binary.headerSize, limit: limit)
        for keyslot in metadata.keyslots {
            try device.extend(to: keyslot.area.upperBound, fetch)
            guard device.bytes.count >= keyslot.area.upperBound else {
                throw .rule(
                    path: "$.keyslots.\(keyslot.number).area", expected: "an area on the device",
                    actual: "the device ends at \(device.bytes.count)")
            }
        }
        copy = chosen.isPrimary ? .primary : .secondary
        uuid = chosen.binary.uuid
        binary = chosen.binary
        self.jsonText = jsonText
        (keyslots, segments) = (metadata.keyslots, metadata.segments)
        (digests, tokens) = (metadata.digests, metadata.tokens)
        metadataByteCount = metadata.byteCount
        image = device.bytes
    }

    /// Reads a header from the start of a device that is in memory already.
    public init(image: [UInt8], hashing: any Hashing) throws(LUKS2Fault) {
        try self.init(hashing: hashing) { offset, count in
            let start = min(offset, image.count)
            return Array(image[start..<min(start + count, image.count)])
        }
    }

    private static func choose(
        _ primary: Result<HeaderCopy, ParseError>, _ secondary: Result<HeaderCopy, ParseError>
    ) throws(LUKS2Fault) -> HeaderCopy {
        switch (primary, secondary) {
        case (.success(let first), .success(let second)):
            return second.binary.sequence > first.binary.sequence ? second : first
        case (.success(let copy), .failure), (.failure, .success(let copy)):
            return copy
        case (.failure(let first), .failure(let second)):
            throw .noValidCopy(primary: first, secondary: second)
        }
    }
}
