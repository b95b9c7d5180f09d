import Bytes

/// A small image with OVMF's tables at its end, built field by field.
public struct FirmwareBuilder: Sendable {
    /// Address, size and type of each SNP section; nil for an image without SEV metadata.
    public var sections: [(address: UInt32, size: UInt32, type: UInt32)]? = [
        (0x80_0000, 0x9000, 1), (0x80_a000, 0x3000, 1), (0x80_d000, 0x1000, 2),
        (0x80_e000, 0x1000, 3), (0x80_f000, 0x1000, 4), (0x81_0000, 0x1000, 0x10),
        (0x81_1000, 0x2000, 1),
    ]
    /// Where the table of kernel hashes goes; nil for an image that does not say.
    public var hashTable: (base: UInt32, size: UInt32)? = (0x81_0c00, 0x400)
    /// Where further processors start.
    public var resetAddress: UInt32? = 0x80_b004
    /// A row of the TDX metadata.
    public typealias TDXSection = (
        offset: UInt32, stored: UInt32, address: UInt64, size: UInt64, type: UInt32,
        attributes: UInt32
    )
    /// The TDX metadata, 2048 bytes before the image's end; nil for an image without.
    public var tdxSections: [TDXSection]?
    /// Whether the table at the end is there at all.
    public var hasTable = true
    /// The image's size, in pages of 4096 bytes.
    public var pages = 3

    /// An image with everything, three pages long.
    public init() {}

    /// An image that differs in what is given.
    public init(
        sections: [(address: UInt32, size: UInt32, type: UInt32)]?,
        hashTable: (base: UInt32, size: UInt32)?, resetAddress: UInt32? = 0x80_b004,
        pages: Int = 3
    ) {
        self.sections = sections
        self.hashTable = hashTable
        self.resetAddress = resetAddress
        self.pages = pages
    }

    /// The image, and where a test may change it.
    public struct Image {
        /// The image.
        public var bytes: [UInt8]
        /// Offset of the SEV metadata.
        public let metadata: Int
        /// Offset of the first byte of the table at the end.
        public let table: Int
    }

    /// The GUID of the SEV metadata's entry.
    public static let metadata = [UInt8](hex: "666588dc4a989847a75e5585a7bf67cc")
    private static let tdxMetadata = [UInt8](hex: "35657ae44a989847865e4685a7bf8ec2")
    private static let resetBlock = [UInt8](hex: "de71f7007e1acb4f890e68c77e2fb44e")
    /// The GUID of the entry that says where kernel hashes go.
    public static let hashArea = [UInt8](hex: "1f3755723b3a044b927b1da6efa8d454")
    private static let footer = [UInt8](hex: "de82b596b21ff745baeaa366c55a082d")

    /// The image with what tests change in it.
    public func image() -> Image {
        var head = ByteWriter()
        var content: [UInt8] = (0..<(pages * 4096)).map { UInt8(truncatingIfNeeded: $0 * 7 / 3) }
        if let sections {
            head.raw("ASEV".utf8)
            head.littleEndian(UInt32(16 + 12 * sections.count))
            head.littleEndian(UInt32(1))
            head.littleEndian(UInt32(sections.count))
            for section in sections {
                head.littleEndian(section.address)
                head.littleEndian(section.size)
                head.littleEndian(section.type)
            }
        }
        let metadata = content.count - 1024
        content.replaceSubrange(metadata..<(metadata + head.bytes.count), with: head.bytes)

        if let tdxSections {
            var tdx = ByteWriter()
            tdx.raw("TDVF".utf8)
            tdx.littleEndian(UInt32(16 + 32 * tdxSections.count))
            tdx.littleEndian(UInt32(1))
            tdx.littleEndian(UInt32(tdxSections.count))
            for section in tdxSections {
                tdx.littleEndian(section.offset)
                tdx.littleEndian(section.stored)
                tdx.littleEndian(section.address)
                tdx.littleEndian(section.size)
                tdx.littleEndian(section.type)
                tdx.littleEndian(section.attributes)
            }
            let start = content.count - 2048
            content.replaceSubrange(start..<(start + tdx.bytes.count), with: tdx.bytes)
        }

        var table = ByteWriter()
        func entry(_ guid: [UInt8], _ data: [UInt32]) {
            data.forEach { table.littleEndian($0) }
            table.littleEndian(UInt16(4 * data.count + 18))
            table.raw(guid)
        }
        if let hashTable { entry(Self.hashArea, [hashTable.base, hashTable.size]) }
        if let resetAddress { entry(Self.resetBlock, [resetAddress]) }
        if tdxSections != nil { entry(Self.tdxMetadata, [2048]) }
        if sections != nil { entry(Self.metadata, [1024]) }
        table.littleEndian(UInt16(table.bytes.count + 18))
        table.raw(Self.footer)
        let end = content.count - 32
        let start = end - table.bytes.count
        if hasTable { content.replaceSubrange(start..<end, with: table.bytes) }
        return Image(bytes: content, metadata: metadata, table: start)
    }

    /// The image.
    public var bytes: [UInt8] { image().bytes }

    /// An image of four pages for a TD: variables in the first, code in the others.
    public static var td: FirmwareBuilder {
        var builder = FirmwareBuilder()
        builder.pages = 4
        builder.tdxSections = [
            (0x1000, 0x3000, 0xffff_d000, 0x3000, 0, 1), (0, 0x1000, 0xffff_c000, 0x1000, 1, 0),
            (0, 0, 0x81_0000, 0x2000, 3, 0), (0, 0, 0x80_9000, 0x2000, 2, 0),
            (0, 0, 0x1_0000_0000, 0x100_0000_0000, 4, 2),
        ]
        return builder
    }

    /// The images that the list of launches names.
    public static let named: [String: FirmwareBuilder] = [
        "amdsev": FirmwareBuilder(),
        "x64": FirmwareBuilder(
            sections: [
                (0x80_0000, 0x9000, 1), (0x80_d000, 0x1000, 2), (0x80_e000, 0x1000, 3),
                (0x80_f000, 0x11000, 1),
            ], hashTable: (0, 0), pages: 2),
        "reordered": FirmwareBuilder(
            sections: [
                (0x81_0000, 0x1000, 0x10), (0x80_e000, 0x1000, 3), (0x80_d000, 0x1000, 2),
                (0x80_0000, 0x1000, 1),
            ], hashTable: (0x81_0000, 0xb0), resetAddress: 0xfff0_1234, pages: 1),
    ]

    /// The kernels and initial RAM disks that the list of launches names.
    public static let files: [String: [UInt8]] = [
        "kernel": (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 11) },
        "initrd": (0..<9000).map { UInt8(truncatingIfNeeded: $0 * 13 / 7) },
        "empty": [],
    ]
}

extension [UInt8] {
    /// A constant of a test; nothing if it is no hexadecimal text.
    public init(hex: String) {
        self = Hex.decode(hex) ?? []
    }
}
