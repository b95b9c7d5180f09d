import Bytes

/// A small PE32+ image, built section by section.
public struct PEBuilder: Sendable {
    /// A section; its content is padded to 512 bytes in the file.
    public struct Section: Sendable {
        /// At most eight bytes.
        public var name: String
        /// What the section holds.
        public var content: [UInt8]
        /// VirtualSize, where it is not the content's length.
        public var virtualSize: Int?

        /// Takes a section.
        public init(_ name: String, _ content: [UInt8], virtualSize: Int? = nil) {
            self.name = name
            self.content = content
            self.virtualSize = virtualSize
        }
    }

    /// In the order of the table, of the file and of memory.
    public var sections: [Section]
    /// Follows the last section, claimed by none.
    public var rest: [UInt8] = []
    /// The certificate table; empty for an unsigned image.
    public var certificates: [UInt8] = []

    /// An unsigned image.
    public init(_ sections: [Section]) {
        self.sections = sections
    }

    /// A unified kernel image with each section's content made from its name, and a kernel that is itself a
    /// PE image.
    public static func unified(_ names: [String], stub: String? = "257.13") -> PEBuilder {
        var builder = PEBuilder([Section(".text", Array("code".utf8))])
        if let stub {
            let magic = "#### LoaderInfo: systemd-stub \(stub) ####\0"
            builder.sections.append(Section(".sdmagic", Array(magic.utf8)))
        }
        builder.sections += names.map { Section($0, content($0)) }
        return builder
    }

    /// What ``unified(_:stub:)`` puts into a section.
    public static func content(_ name: String) -> [UInt8] {
        name == ".linux"
            ? PEBuilder([Section(".text", Array("kernel".utf8))]).bytes
            : Array(String(repeating: name + "\n", count: 100).utf8)
    }

    /// Offset of e_lfanew's target.
    public static let start = 128
    /// Offset of the optional header.
    public static let optional = start + 24
    /// Offset of the section table, behind 16 directories.
    public static let table = optional + 240

    /// Offset of the first section in the file, which is SizeOfHeaders.
    public var headerSize: Int { (Self.table + 40 * sections.count + 511) / 512 * 512 }

    /// The image.
    public var bytes: [UInt8] {
        var header = ByteWriter()
        header.raw("MZ".utf8)
        header.zeros(58)
        header.littleEndian(UInt32(Self.start))
        header.zeros(Self.start - 64)
        header.raw([0x50, 0x45, 0, 0])
        header.littleEndian(UInt16(0x8664))
        header.littleEndian(UInt16(sections.count))
        header.zeros(12)
        header.littleEndian(UInt16(240))
        header.littleEndian(UInt16(0x22))
        header.littleEndian(UInt16(0x20b))
        header.zeros(42)
        header.littleEndian(UInt16(1))  // MajorImageVersion
        header.zeros(14)
        header.littleEndian(UInt32(headerSize))
        header.littleEndian(UInt32(0xaabb_ccdd))  // CheckSum
        header.zeros(40)
        header.littleEndian(UInt32(16))
        header.zeros(32)

        var body = ByteWriter()
        var rows = ByteWriter()
        var address = 0x1000
        for section in sections {
            let size = section.virtualSize ?? section.content.count
            let stored = (section.content.count + 511) / 512 * 512
            rows.raw(section.name.utf8)
            rows.zeros(8 - section.name.utf8.count)
            rows.littleEndian(UInt32(size))
            rows.littleEndian(UInt32(address))
            rows.littleEndian(UInt32(stored))
            rows.littleEndian(UInt32(headerSize + body.bytes.count))
            rows.zeros(16)
            body.raw(section.content)
            body.zeros(stored - section.content.count)
            address += (size + 4095) / 4096 * 4096
        }
        body.raw(rest)
        let offset = certificates.isEmpty ? 0 : headerSize + body.bytes.count
        header.littleEndian(UInt32(offset))
        header.littleEndian(UInt32(certificates.count))
        header.zeros(88)
        header.raw(rows.bytes)
        header.zeros(headerSize - header.bytes.count)
        return header.bytes + body.bytes + certificates
    }
}
