import Bytes

/// Memory that the host gives a TD before its first instruction.
struct TDXSection: Equatable, Sendable {
    /// What it is for; the numbers are TDVF's.
    enum Kind: UInt32, Sendable {
        /// The boot firmware volume: code.
        case boot = 0
        /// The configuration firmware volume: variables.
        case configuration = 1
        /// The hand-off blocks in which the host describes the memory.
        case handOff = 2
        case temporaryMemory = 3
        case permanentMemory = 4
        case payload = 5
        case payloadParameters = 6
    }

    let kind: Kind
    /// Where the content lies in the image.
    let offset: UInt32
    /// How much of it the image has, in bytes.
    let storedSize: UInt32
    /// Guest physical address.
    let address: UInt64
    /// In memory, in bytes, whole pages.
    let size: UInt64
    /// MR.EXTEND: the content counts, not only the addresses.
    let isMeasured: Bool
    /// PAGE.AUG: added later, so it does not count at all.
    let isAddedLater: Bool

    /// Reads one descriptor.
    @_lifetime(reader: copy reader)
    init(_ reader: inout ByteReader, fileSize: Int) throws(ParseError) {
        offset = try reader.littleEndian("TDVF section offset")
        storedSize = try reader.littleEndian("TDVF section raw size")
        address = try reader.littleEndian("TDVF section address")
        size = try reader.littleEndian("TDVF section size")
        let number: UInt32 = try reader.littleEndian("TDVF section type")
        guard let kind = Kind(rawValue: number) else {
            throw .outOfRange(field: "TDVF section type", value: UInt64(number))
        }
        self.kind = kind
        let attributes: UInt32 = try reader.littleEndian("TDVF section attributes")
        guard attributes <= 3, attributes != 3 else {
            throw .outOfRange(field: "TDVF section attributes", value: UInt64(attributes))
        }
        isMeasured = attributes & 1 != 0
        isAddedLater = attributes & 2 != 0
        guard address.isMultiple(of: UInt64(pageSize)), size.isMultiple(of: UInt64(pageSize)),
            size > 0, address < 1 << 52
        else { throw .invalid(field: "TDVF section", rule: "consists of whole pages") }
        guard isAddedLater || size <= 64 << 20, size < 1 << 52, UInt64(storedSize) <= size else {
            throw .outOfRange(field: "TDVF section size", value: size)
        }
        guard Int(offset) + Int(storedSize) <= fileSize else {
            throw .outOfRange(field: "TDVF section raw size", value: UInt64(storedSize))
        }
    }

    func overlaps(_ other: TDXSection) -> Bool {
        address < other.address + other.size && other.address < address + size
    }
}
