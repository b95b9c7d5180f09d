import Bytes

/// The launch digest while it grows: SHA-384 over one PAGE_INFO after another.
///
/// Layout: AMD publication 56860, section 8.17.2, table "Layout of the PAGE_INFO Structure", 0x70
/// bytes, little-endian.
struct PageChain: Sendable {
    enum PageType: UInt8 {
        case normal = 1
        case saveArea = 2
        case zero = 3
        case unmeasured = 4
        case secrets = 5
        case cpuid = 6
    }

    /// The digest so far.
    private(set) var digest: FixedBytes<48>
    private let hashing: any Hashing

    init(from digest: FixedBytes<48> = FixedBytes(), hashing: any Hashing) {
        self.digest = digest
        self.hashing = hashing
    }

    /// Adds whole pages with their content.
    mutating func add(_ content: [UInt8], at address: UInt64) {
        for offset in stride(from: 0, to: content.count, by: pageSize) {
            let page = Array(content[offset..<(offset + pageSize)])
            add(.normal, hashing.sha384(page), at: address + UInt64(offset))
        }
    }

    /// Adds whole pages whose content does not count.
    mutating func add(_ type: PageType, at address: UInt32, size: UInt32) {
        for offset in stride(from: 0, to: size, by: pageSize) {
            add(type, FixedBytes(), at: UInt64(address + offset))
        }
    }

    /// Adds the save area of a processor, given by its digest. Its address is -1 in the RMP, cut to the
    /// bits of a page address.
    mutating func add(saveArea digest: FixedBytes<48>) {
        add(.saveArea, digest, at: 0xffff_ffff_f000)
    }

    private mutating func add(_ type: PageType, _ content: FixedBytes<48>, at address: UInt64) {
        var info = ByteWriter()
        info.fixed(digest)
        info.fixed(content)
        info.littleEndian(UInt16(0x70))
        info.uint8(type.rawValue)
        // IMI_PAGE, the permissions of VMPL 3, 2 and 1, and a reserved byte.
        info.zeros(5)
        info.littleEndian(address)
        digest = hashing.sha384(info.bytes)
    }
}
