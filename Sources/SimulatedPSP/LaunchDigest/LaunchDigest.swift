import Bytes

/// The launch digest as the secure processor extends it, page by page.
///
/// AMD publication 56860, section 8.17.2, table PAGE_INFO: each page makes the digest
/// SHA-384(digest || contents || u16 0x70 || page type || is_imi || three VMPL permissions || 0 ||
/// u64 guest-physical address), little-endian, with SHA-384 of the page as contents, or zeros where
/// the processor does not measure them. It begins as 48 zero bytes.
struct LaunchDigest {
    /// PAGE_TYPE of SNP_LAUNCH_UPDATE.
    enum PageType: UInt8 {
        case normal = 1
        case saveArea = 2
        case zero = 3
        case unmeasured = 4
        case secrets = 5
        case cpuid = 6
    }

    /// What has been extended so far.
    private(set) var value = FixedBytes<48>()
    private let hashing: any Hashing

    private static let pageSize = 4096
    /// Where the processor records register states: the highest page of a 48-bit address.
    private static let saveAreaAddress: UInt64 = 0xffff_ffff_f000

    init(hashing: some Hashing) {
        self.hashing = hashing
    }

    /// Extends whole pages of `contents` at `address`.
    mutating func add(contents: [UInt8], at address: UInt64) {
        for start in stride(from: 0, to: contents.count, by: Self.pageSize) {
            extend(
                .normal, address + UInt64(start),
                hashing.sha384(Array(contents[start..<start + Self.pageSize])))
        }
    }

    /// Extends `size` bytes of pages whose contents do not count.
    mutating func add(_ type: PageType, at address: UInt64, size: UInt64) {
        for start in stride(from: 0, to: size, by: UInt64.Stride(Self.pageSize)) {
            extend(type, address + start, FixedBytes())
        }
    }

    /// Extends the first register state of one processor.
    mutating func add(_ state: SaveArea) {
        extend(.saveArea, Self.saveAreaAddress, hashing.sha384(state.page))
    }

    private mutating func extend(
        _ type: PageType, _ address: UInt64, _ contents: FixedBytes<48>
    ) {
        var info = ByteWriter()
        info.fixed(value)
        info.fixed(contents)
        info.littleEndian(UInt16(0x70))
        info.uint8(type.rawValue)
        info.zeros(1 + 3 + 1)
        info.littleEndian(address)
        value = hashing.sha384(info.bytes)
    }
}
