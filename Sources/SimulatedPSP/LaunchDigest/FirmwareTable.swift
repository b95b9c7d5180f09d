import Bytes

/// The table of GUIDed entries at the end of an OVMF image, last entry first.
///
/// Layout: edk2, `OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm`. The table ends 32 bytes before the
/// end of the image with a footer; each entry is its data, u16 length of the whole entry
/// (little-endian), GUID. The footer's length is that of the whole table.
struct FirmwareTable {
    /// GUID and data of each entry, in the order in which they lie in the image.
    var entries: [(guid: [UInt8], data: [UInt8])] = []

    /// Bytes behind the table: the reset vector.
    static let bytesBehind = 32
    private static let head = 18

    static let footer = MixedGUID.bytes("96b582de-1fb2-45f7-baea-a366c55a082d")
    /// u32: where application processors begin.
    static let resetBlock = MixedGUID.bytes("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
    /// u32: distance of the SEV metadata from the end of the image.
    static let metadata = MixedGUID.bytes("dc886566-984a-4798-a75e-5585a7bf67cc")
    /// u32 address and u32 size of the table of kernel hashes; zeros where there is none.
    static let hashesTable = MixedGUID.bytes("7255371f-3a3b-4b04-927b-1da6efa8d454")

    /// An empty table.
    init() {}

    /// Reads the table of `image`; empty where the image has none.
    init(of image: [UInt8]) throws(PSPFault) {
        let end = image.count - Self.bytesBehind
        guard end >= Self.head, Array(image[end - 16..<end]) == Self.footer else { return }
        let size = Self.length(image, at: end - Self.head)
        guard (Self.head...end).contains(size) else {
            throw .unusable("firmware: its table is \(size) bytes long, expected 18 to \(end)")
        }
        let start = end - size
        var next = end - Self.head
        while next - start >= Self.head {
            let length = Self.length(image, at: next - Self.head)
            guard (Self.head...next - start).contains(length) else {
                throw .unusable("firmware: an entry of its table is \(length) bytes long")
            }
            entries.insert(
                (Array(image[next - 16..<next]), Array(image[next - length..<next - Self.head])),
                at: 0)
            next -= length
        }
    }

    /// The data of the entry called `guid`.
    subscript(guid: [UInt8]) -> [UInt8]? {
        get { entries.last { $0.guid == guid }?.data }
        set {
            entries.removeAll { $0.guid == guid }
            if let newValue { entries.append((guid, newValue)) }
        }
    }

    /// The first four bytes of an entry, little-endian; nil where it has fewer.
    func word(_ guid: [UInt8]) -> UInt32? {
        guard let data = self[guid], data.count >= 4 else { return nil }
        return data.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The table with its footer, as it lies before the last 32 bytes of an image.
    var bytes: [UInt8] {
        var table = ByteWriter()
        for entry in entries {
            table.raw(entry.data)
            table.littleEndian(UInt16(entry.data.count + Self.head))
            table.raw(entry.guid)
        }
        table.littleEndian(UInt16(table.bytes.count + Self.head))
        table.raw(Self.footer)
        return table.bytes
    }

    private static func length(_ image: [UInt8], at offset: Int) -> Int {
        Int(image[offset]) | Int(image[offset + 1]) << 8
    }
}

/// GUIDs as UEFI lays them down: the first three fields little-endian.
enum MixedGUID {
    /// The 16 bytes of a GUID written as text, such as `96b582de-1fb2-45f7-baea-a366c55a082d`.
    static func bytes(_ text: String) -> [UInt8] {
        let bytes = Hex.decode(text.filter { $0 != "-" }) ?? []
        precondition(bytes.count == 16, "not a GUID: \(text)")
        return bytes[0..<4].reversed() + bytes[4..<6].reversed() + bytes[6..<8].reversed()
            + bytes[8...]
    }
}
