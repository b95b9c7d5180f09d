public import Bytes

/// A PE executable, as far as measuring it needs: its headers' ranges and its sections.
///
/// Source: Microsoft, "PE Format". Everything that a field points to must lie within the file.
public struct PEImage: Sendable {
    /// How large an image may be, in bytes.
    public static let maximumSize = 1 << 30

    /// A row of the section table.
    struct Section: Equatable, Sendable {
        /// Up to eight bytes, without the zero bytes behind them.
        let name: String
        let virtualSize: UInt32
        let virtualAddress: UInt32
        let rawSize: UInt32
        let rawOffset: UInt32
    }

    /// The whole file.
    let bytes: [UInt8]
    /// Offset of the CheckSum field.
    let checksum: Int
    /// Offset of the certificate table's directory entry; nil where the table of directories ends before.
    let certificateEntry: Int?
    /// Size of the certificate table at the file's end; 0 for an unsigned image.
    let certificateSize: Int
    /// SizeOfHeaders.
    let headerSize: Int
    /// MajorImageVersion; a Linux kernel's is 1 since 5.8, when it takes its initrd from the loader.
    let majorImageVersion: UInt16
    /// In the table's order.
    let sections: [Section]

    /// Reads the headers.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.maximumSize else {
            throw .lengthOutOfBounds(
                field: "PE image", length: bytes.count, minimum: 0, maximum: Self.maximumSize)
        }
        self.bytes = bytes
        var reader = unsafe ByteReader(bytes.span.bytes)
        guard try reader.bytes("DOS signature", count: 2) == Array("MZ".utf8) else {
            throw .invalid(field: "DOS signature", rule: "is MZ")
        }
        try reader.skip("DOS header", count: 58)
        let start: UInt32 = try reader.littleEndian("e_lfanew")
        guard start >= 64, start <= 0x1000 else {
            throw .outOfRange(field: "e_lfanew", value: UInt64(start))
        }
        try reader.skip("DOS stub", count: Int(start) - 64)
        guard try reader.bytes("PE signature", count: 4) == [0x50, 0x45, 0, 0] else {
            throw .invalid(field: "PE signature", rule: "is PE")
        }
        try reader.skip("Machine", count: 2)
        let sectionCount: UInt16 = try reader.littleEndian("NumberOfSections")
        guard (1...256).contains(sectionCount) else {
            throw .outOfRange(field: "NumberOfSections", value: UInt64(sectionCount))
        }
        try reader.skip("COFF header", count: 12)
        let optionalSize = Int(try reader.littleEndian("SizeOfOptionalHeader", as: UInt16.self))
        try reader.skip("Characteristics", count: 2)

        let optionalStart = Int(start) + 24
        let magic: UInt16 = try reader.littleEndian("Magic")
        // The directories follow fields of pointer size, which PE32+ has wider.
        let directoryOffset: Int
        switch magic {
        case 0x10b: directoryOffset = 96
        case 0x20b: directoryOffset = 112
        default: throw .outOfRange(field: "Magic", value: UInt64(magic))
        }
        guard optionalSize >= directoryOffset, optionalSize <= 1024 else {
            throw .outOfRange(field: "SizeOfOptionalHeader", value: UInt64(optionalSize))
        }
        try reader.skip("optional header", count: 42)
        majorImageVersion = try reader.littleEndian("MajorImageVersion")
        try reader.skip("optional header", count: 14)
        headerSize = Int(try reader.littleEndian("SizeOfHeaders", as: UInt32.self))
        checksum = optionalStart + 64
        try reader.skip("optional header", count: directoryOffset - 4 - 64)
        let directories: UInt32 = try reader.littleEndian("NumberOfRvaAndSizes")
        guard directories <= 16, optionalSize >= directoryOffset + 8 * Int(directories) else {
            throw .outOfRange(field: "NumberOfRvaAndSizes", value: UInt64(directories))
        }
        var certificates: (offset: UInt32, size: UInt32)?
        for index in 0..<directories {
            let offset: UInt32 = try reader.littleEndian("data directory")
            let size: UInt32 = try reader.littleEndian("data directory")
            if index == 4 { certificates = (offset, size) }
        }
        try reader.skip(
            "optional header", count: optionalSize - directoryOffset - 8 * Int(directories))
        var sections: [Section] = []
        for _ in 0..<sectionCount {
            sections.append(try Section(&reader, fileSize: bytes.count))
        }
        self.sections = sections
        guard headerSize >= bytes.count - reader.remaining, headerSize <= bytes.count else {
            throw .outOfRange(field: "SizeOfHeaders", value: UInt64(headerSize))
        }
        certificateEntry = certificates == nil ? nil : optionalStart + directoryOffset + 32
        certificateSize = Int(certificates?.size ?? 0)
        if let (offset, size) = certificates, size != 0 {
            // Firmware hashes what precedes the table and takes for granted that nothing follows it.
            guard Int(offset) >= headerSize, Int(offset) + Int(size) == bytes.count else {
                throw .invalid(field: "certificate table", rule: "lies at the end of the file")
            }
        }
    }
}

extension PEImage.Section {
    @_lifetime(reader: copy reader)
    fileprivate init(_ reader: inout ByteReader, fileSize: Int) throws(ParseError) {
        let bytes = try reader.bytes("section name", count: 8)
        let used = bytes.prefix { $0 != 0 }
        guard bytes.dropFirst(used.count).allSatisfy({ $0 == 0 }),
            used.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw .invalid(field: "section name", rule: "is ASCII, with zero bytes behind it") }
        name = String(decoding: used, as: UTF8.self)
        virtualSize = try reader.littleEndian("VirtualSize")
        virtualAddress = try reader.littleEndian("VirtualAddress")
        rawSize = try reader.littleEndian("SizeOfRawData")
        rawOffset = try reader.littleEndian("PointerToRawData")
        try reader.skip("section", count: 16)
        guard rawSize == 0 || Int(rawOffset) + Int(rawSize) <= fileSize else {
            throw .outOfRange(field: "SizeOfRawData", value: UInt64(rawSize))
        }
    }
}
