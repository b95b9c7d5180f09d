import Bytes

/// The 4096-byte binary header that precedes each copy of the JSON area.
///
/// Layout: "LUKS2 On-Disk Format Specification" 1.1.2, section 2.1; integers are big-endian.
struct LUKS2BinaryHeader: Equatable {
    static let byteCount = 4096
    static let primaryMagic: [UInt8] = [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]
    static let secondaryMagic: [UInt8] = [0x53, 0x4b, 0x55, 0x4c, 0xba, 0xbe]
    static let checksumOffset = 0x1c0
    /// The sizes that the specification allows, and so the offsets where a secondary copy may be.
    static let headerSizes = (0..<9).map { 0x4000 << $0 }

    let headerSize: Int
    let sequence: UInt64
    let salt: [UInt8]
    let uuid: String
    let checksum: [UInt8]

    /// Parses the header that stands at `offset` of the device.
    init(parsing bytes: [UInt8], at offset: Int) throws(ParseError) {
        self = try bytes.parse("LUKS2 binary header") { reader throws(ParseError) in
            try Self(reading: &reader, at: offset)
        }
    }

    private init(reading reader: inout ByteReader, at offset: Int) throws(ParseError) {
        let magic = offset == 0 ? Self.primaryMagic : Self.secondaryMagic
        guard try reader.bytes("magic", count: 6) == magic else {
            throw .invalid(field: "magic", rule: "no LUKS2 header at byte \(offset)")
        }
        let version: UInt16 = try reader.bigEndian("version")
        guard version == 2 else { throw .outOfRange(field: "version", value: UInt64(version)) }
        let size: UInt64 = try reader.bigEndian("hdr_size")
        guard let headerSize = Self.headerSizes.first(where: { UInt64($0) == size }),
            offset == 0 || offset == headerSize
        else { throw .outOfRange(field: "hdr_size", value: size) }
        self.headerSize = headerSize
        sequence = try reader.bigEndian("seqid")
        try reader.skip("label", count: 48)
        let algorithm = try Self.text("csum_alg", reader.bytes("csum_alg", count: 32))
        guard algorithm == "sha256" else {
            throw .invalid(field: "csum_alg", rule: "only sha256 is accepted")
        }
        salt = try reader.bytes("salt", count: 64)
        uuid = try Self.uuid(reader.bytes("uuid", count: 40))
        try reader.skip("subsystem", count: 48)
        let ownOffset: UInt64 = try reader.bigEndian("hdr_offset")
        guard ownOffset == UInt64(offset) else {
            throw .outOfRange(field: "hdr_offset", value: ownOffset)
        }
        try reader.skip("padding", count: Self.checksumOffset - 0x108)
        checksum = try reader.bytes("csum", count: 32)
        try reader.mustBeZero("csum", count: 32)
        try reader.skip("padding", count: Self.byteCount - 0x200)
    }

    /// The header as it stands at `offset`: label and subsystem empty, the checksum still zero.
    func encoded(at offset: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.raw(offset == 0 ? Self.primaryMagic : Self.secondaryMagic)
        writer.bigEndian(UInt16(2))
        writer.bigEndian(UInt64(headerSize))
        writer.bigEndian(sequence)
        writer.zeros(48)
        writer.raw("sha256".utf8)
        writer.zeros(26)
        writer.raw(salt)
        writer.raw(uuid.utf8)
        writer.zeros(40 - uuid.utf8.count)
        writer.zeros(48)
        writer.bigEndian(UInt64(offset))
        writer.zeros(Self.byteCount - 0x108)
        return writer.bytes
    }

    /// Whether the checksum is that of `copy`, the binary header and its JSON area.
    func hasChecksum(of copy: [UInt8], hashing: any Hashing) -> Bool {
        var hashed = copy
        for index in Self.checksumOffset..<Self.checksumOffset + 64 { hashed[index] = 0 }
        return hashing.sha256(hashed).bytes == checksum
    }

    private static func text(_ field: String, _ bytes: [UInt8]) throws(ParseError) -> String {
        let text = bytes.prefix { $0 != 0 }
        guard text.count < bytes.count, bytes[text.count...].allSatisfy({ $0 == 0 }) else {
            throw .invalid(field: field, rule: "must be text that ends in zero bytes")
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func uuid(_ bytes: [UInt8]) throws(ParseError) -> String {
        let uuid = try text("uuid", bytes)
        let groups = uuid.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12],
            Hex.decode(groups.joined()) != nil
        else { throw .invalid(field: "uuid", rule: "must be a UUID as RFC 9562 writes it") }
        return uuid
    }
}
