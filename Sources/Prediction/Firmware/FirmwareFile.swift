import Bytes

/// An OVMF image as it is mapped below 4 GiB, with the GUIDed structures at its end.
///
/// The table lies before the last 32 bytes and is read backwards: each entry is its data, a u16 with
/// the length of data and header together, and a GUID. Source: edk2,
/// `OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm`; QEMU, `hw/i386/pc_sysfw_ovmf.c`.
public struct FirmwareFile: Sendable {
    /// How large an image may be, in bytes; QEMU maps no larger one.
    public static let maximumSize = 16 << 20

    /// The whole image.
    public let bytes: [UInt8]
    /// Where the image starts in the guest's physical memory.
    public let base: UInt64

    private let entries: [GUID: [UInt8]]

    /// Reads the table.
    ///
    /// - Throws: ``PredictionError/noFirmwareTable`` for an image without one, else
    ///   ``PredictionError/malformed(file:_:)``.
    public init(parsing bytes: [UInt8]) throws(PredictionError) {
        guard bytes.count.isMultiple(of: pageSize), (1...Self.maximumSize).contains(bytes.count)
        else {
            throw .malformed(
                file: "firmware",
                .invalid(field: "size", rule: "must be a multiple of 4096, at most 16 MiB"))
        }
        let tableEnd = bytes.count - 32
        let footer = Array(bytes[(tableEnd - Self.headerSize)..<tableEnd])
        guard GUID(FixedBytes(footer[2...]) ?? FixedBytes()) == Self.footer else {
            throw .noFirmwareTable
        }
        self.bytes = bytes
        base = (1 << 32) - UInt64(bytes.count)
        entries = try parsing("firmware") { () throws(ParseError) in
            try Self.entries(bytes, endingAt: tableEnd)
        }
    }

    /// The data of an entry; nil where the table has none.
    func entry(_ guid: GUID) -> [UInt8]? { entries[guid] }

    /// The entry's first u32, which is how all entries that we read begin.
    func address(_ guid: GUID, _ field: String) throws(ParseError) -> UInt32? {
        guard let data = entries[guid] else { return nil }
        var reader = unsafe ByteReader(data.span.bytes)
        return try reader.littleEndian(field)
    }

    /// The part of the image that starts `offset` bytes before its end.
    func tail(_ field: String, offsetFromEnd offset: UInt32) throws(ParseError) -> [UInt8] {
        guard offset > 0, UInt64(offset) <= UInt64(bytes.count) else {
            throw .outOfRange(field: field, value: UInt64(offset))
        }
        return Array(bytes[(bytes.count - Int(offset))...])
    }

    private static let footer = GUID("96b582de-1fb2-45f7-baea-a366c55a082d")
    private static let headerSize = 18

    private static func entries(
        _ bytes: [UInt8], endingAt tableEnd: Int
    ) throws(ParseError) -> [GUID: [UInt8]] {
        let size = length(bytes, before: tableEnd)
        guard (headerSize...tableEnd).contains(size) else {
            throw .lengthOutOfBounds(
                field: "OVMF table", length: size, minimum: headerSize, maximum: tableEnd)
        }
        let start = tableEnd - size
        var end = tableEnd - headerSize
        var entries: [GUID: [UInt8]] = [:]
        while end > start {
            guard end - start >= headerSize else {
                throw .trailingBytes(structure: "OVMF table", count: end - start)
            }
            let length = length(bytes, before: end)
            guard (headerSize...(end - start)).contains(length) else {
                throw .lengthOutOfBounds(
                    field: "OVMF table entry", length: length, minimum: headerSize,
                    maximum: end - start)
            }
            let guid = GUID(FixedBytes(bytes[(end - 16)..<end]) ?? FixedBytes())
            guard entries[guid] == nil else {
                throw .invalid(field: "OVMF table entry", rule: "stands there once")
            }
            entries[guid] = Array(bytes[(end - length)..<(end - headerSize)])
            end -= length
        }
        return entries
    }

    /// The u16 of the entry that ends at `end`.
    private static func length(_ bytes: [UInt8], before end: Int) -> Int {
        Int(bytes[end - headerSize]) | Int(bytes[end - headerSize + 1]) << 8
    }
}

/// A page of the guest's memory, in bytes.
let pageSize = 4096
