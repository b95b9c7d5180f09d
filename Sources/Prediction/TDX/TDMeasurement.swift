public import Bytes

extension TDXFirmware {
    /// In which order a host adds and measures a section's pages; both are in use.
    public enum PageOrder: String, Sendable, Hashable, CaseIterable {
        /// Each page is measured right after it was added: Linux 6.16 and later.
        case interleaved
        /// All pages of a section are added, then all are measured: hosts before.
        case twoPass = "two-pass"
    }

    /// MRTD: SHA-384 over 128 bytes for each page that is added and for each 256 bytes that are
    /// measured, the latter with their content.
    ///
    /// Source: Intel, "TDX Module 1.5 ABI", TDH.MEM.PAGE.ADD and TDH.MR.EXTEND.
    public func measurement(_ order: PageOrder, hashing: any Hashing) -> FixedBytes<48> {
        var hashed = ByteWriter()
        for section in sections where !section.isAddedLater {
            let content = section.isMeasured ? content(section) : nil
            let offsets = stride(from: 0, to: Int(section.size), by: pageSize)
            switch order {
            case .interleaved:
                for offset in offsets {
                    Self.add(section, offset, &hashed)
                    if let content { Self.extend(section, content, offset, &hashed) }
                }
            case .twoPass:
                for offset in offsets { Self.add(section, offset, &hashed) }
                if let content {
                    for offset in offsets { Self.extend(section, content, offset, &hashed) }
                }
            }
        }
        return hashing.sha384(hashed.bytes)
    }

    private static func add(_ section: TDXSection, _ offset: Int, _ hashed: inout ByteWriter) {
        record("MEM.PAGE.ADD", section.address + UInt64(offset), &hashed)
    }

    private static func extend(
        _ section: TDXSection, _ content: [UInt8], _ offset: Int, _ hashed: inout ByteWriter
    ) {
        for chunk in stride(from: offset, to: offset + pageSize, by: 256) {
            record("MR.EXTEND", section.address + UInt64(chunk), &hashed)
            hashed.raw(content[chunk..<(chunk + 256)])
        }
    }

    private static func record(_ name: String, _ address: UInt64, _ hashed: inout ByteWriter) {
        hashed.raw(name.utf8)
        hashed.zeros(16 - name.utf8.count)
        hashed.littleEndian(address)
        hashed.zeros(104)
    }
}
