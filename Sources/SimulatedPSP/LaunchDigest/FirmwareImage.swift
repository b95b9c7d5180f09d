import Bytes

/// A firmware file as an SNP launch measures it: its pages and what it says of guest memory.
struct FirmwareImage {
    /// The whole file; a multiple of 4096 bytes.
    let bytes: [UInt8]
    /// The memory to prepare, in the order of the metadata.
    let sections: [FirmwareSection]
    /// Where application processors begin.
    let processorEntry: UInt32?
    /// Where the table of kernel hashes goes; nil where the firmware looks at none.
    let hashesTable: UInt32?

    static let pageSize = 4096

    init(_ bytes: [UInt8]) throws(PSPFault) {
        guard !bytes.isEmpty, bytes.count.isMultiple(of: Self.pageSize), bytes.count <= 64 << 20
        else {
            throw .unusable(
                "firmware: \(bytes.count) bytes, expected a multiple of 4096 up to 64 MiB")
        }
        let table = try FirmwareTable(of: bytes)
        self.bytes = bytes
        processorEntry = table.word(FirmwareTable.resetBlock)
        hashesTable = table.word(FirmwareTable.hashesTable).flatMap { $0 == 0 ? nil : $0 }
        if let distance = table.word(FirmwareTable.metadata) {
            sections = try FirmwareSection.sections(of: bytes, distance: distance)
        } else {
            sections = []
        }
    }

    /// Guest-physical address of the first byte: the image ends at 4 GiB.
    var address: UInt64 { 1 << 32 - UInt64(bytes.count) }

    /// Where an annotated image takes its table of kernel hashes: the place of OVMF's AmdSev build.
    private static let addedTable: UInt32 = 0x81_0c00
    private static let addedTableSize: UInt32 = 0x400
    private static let addedEntry: UInt32 = 0x80_b004

    /// The sections of OVMF's AmdSev build.
    private static let usualSections = [
        FirmwareSection(address: 0x80_0000, size: 0x9000, kind: .memory),
        FirmwareSection(address: 0x80_a000, size: 0x3000, kind: .memory),
        FirmwareSection(address: 0x80_d000, size: 0x1000, kind: .secrets),
        FirmwareSection(address: 0x80_e000, size: 0x1000, kind: .cpuid),
        FirmwareSection(address: 0x80_f000, size: 0x1_1000, kind: .memory),
    ]

    /// The image with all that measuring a launch with `kernel-hashes=on` needs, for measuring only.
    ///
    /// A page with the metadata comes before the image, so that all else keeps its address, and the
    /// table at the end grows over what lies before it: such an image cannot be booted. What the
    /// image has stays as it is; an image that has everything comes back unchanged.
    func annotated() throws(PSPFault) -> [UInt8] {
        guard
            hashesTable == nil || processorEntry == nil
                || !sections.contains(where: { $0.kind == .kernelHashes })
        else { return bytes }
        let place = hashesTable ?? Self.addedTable
        let page = place & ~(FirmwareSection.pageSize - 1)
        let described = sections.isEmpty ? Self.usualSections : sections
        let metadata = FirmwareSection.metadata(try Self.adding(hashesPage: page, to: described))
        guard metadata.count <= Self.pageSize else {
            throw .unusable("firmware: its SEV metadata has no room for another section")
        }
        var table = try FirmwareTable(of: bytes)
        if processorEntry == nil { table[FirmwareTable.resetBlock] = Self.word(Self.addedEntry) }
        if hashesTable == nil {
            table[FirmwareTable.hashesTable] = Self.word(place) + Self.word(Self.addedTableSize)
        }
        table[FirmwareTable.metadata] = Self.word(UInt32(bytes.count + Self.pageSize))
        let end = bytes.count - FirmwareTable.bytesBehind
        let written = table.bytes
        guard written.count <= end else {
            throw .unusable("firmware: \(bytes.count) bytes have no room for its table")
        }
        let padding = [UInt8](repeating: 0, count: Self.pageSize - metadata.count)
        return metadata + padding + bytes[..<(end - written.count)] + written + bytes[end...]
    }

    /// `sections` with a page for kernel hashes, taken out of the memory that covers it.
    private static func adding(
        hashesPage page: UInt32, to sections: [FirmwareSection]
    ) throws(PSPFault) -> [FirmwareSection] {
        guard !sections.contains(where: { $0.kind == .kernelHashes }) else { return sections }
        let hashes = FirmwareSection(
            address: page, size: FirmwareSection.pageSize, kind: .kernelHashes)
        guard let index = sections.firstIndex(where: { $0.range.overlaps(hashes.range) }) else {
            return sections + [hashes]
        }
        let covering = sections[index]
        guard covering.kind == .memory else {
            throw .unusable("firmware: a section of another kind lies where kernel hashes go")
        }
        let before = FirmwareSection(
            address: covering.address, size: page - covering.address, kind: .memory)
        let next = page + FirmwareSection.pageSize
        let behind = FirmwareSection(
            address: next, size: UInt32(covering.range.upperBound - UInt64(next)), kind: .memory)
        var split = sections
        split.replaceSubrange(
            index...index, with: [before, hashes, behind].filter { $0.size > 0 })
        return split
    }

    private static func word(_ value: UInt32) -> [UInt8] {
        var word = ByteWriter()
        word.littleEndian(value)
        return word.bytes
    }
}
