import Bytes

/// Pages that the host adds to an SNP guest besides the firmware itself.
struct SNPSection: Equatable, Sendable {
    /// What the pages are for; the numbers are OVMF's.
    enum Kind: UInt32, Sendable {
        /// Memory that the firmware uses before it can accept more.
        case memory = 1
        /// Keys of the guest, written by the secure processor.
        case secrets = 2
        /// CPUID values, checked by the secure processor.
        case cpuid = 3
        /// Calling area of an SVSM.
        case callingArea = 4
        /// SHA-256 of kernel, initramfs and command line.
        case kernelHashes = 0x10
    }

    let kind: Kind
    /// Guest physical address of the first page.
    let address: UInt32
    /// In bytes, whole pages.
    let size: UInt32

    /// Reads one descriptor; the section must end at or before `end`, where the firmware starts.
    @_lifetime(reader: copy reader)
    init(_ reader: inout ByteReader, below end: UInt64) throws(ParseError) {
        address = try reader.littleEndian("SEV section address")
        size = try reader.littleEndian("SEV section size")
        let number: UInt32 = try reader.littleEndian("SEV section type")
        guard let kind = Kind(rawValue: number) else {
            throw .outOfRange(field: "SEV section type", value: UInt64(number))
        }
        self.kind = kind
        guard address.isMultiple(of: UInt32(pageSize)), size.isMultiple(of: UInt32(pageSize)) else {
            throw .invalid(field: "SEV section", rule: "consists of whole pages")
        }
        let maximum: UInt32 =
            switch kind {
            case .memory, .callingArea: 64 << 20
            case .secrets, .cpuid, .kernelHashes: UInt32(pageSize)
            }
        guard (UInt32(pageSize)...maximum).contains(size), UInt64(address) + UInt64(size) <= end
        else {
            throw .outOfRange(field: "SEV section size", value: UInt64(size))
        }
    }

    func overlaps(_ other: SNPSection) -> Bool {
        UInt64(address) < UInt64(other.address) + UInt64(other.size)
            && UInt64(other.address) < UInt64(address) + UInt64(size)
    }
}
