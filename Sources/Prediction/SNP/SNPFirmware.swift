import Bytes

/// What an OVMF image says about its launch as an SNP guest.
///
/// Source: edk2, `OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm`; QEMU, `target/i386/sev.c`.
public struct SNPFirmware: Sendable {
    /// The image.
    public let file: FirmwareFile
    /// The pages that the host prepares, in the order in which they are measured.
    let sections: [SNPSection]
    /// Where all processors but the first start; nil if the firmware does not say.
    let resetAddress: UInt32?
    /// Where the table of kernel hashes goes, if the firmware has room for one and checks it.
    let hashTable: HashTable?

    struct HashTable: Equatable, Sendable {
        /// The section's guest physical address.
        let page: UInt32
        /// Offset of the table within the page.
        let offset: Int
    }

    /// Whether the launch digest can cover kernel, initramfs and command line.
    public var coversKernel: Bool { hashTable != nil }

    /// Reads the image's metadata.
    ///
    /// - Throws: ``PredictionError/noSEVMetadata`` for an image without, as Debian's
    ///   `OVMF_CODE_4M.fd` is; ``PredictionError/malformed(file:_:)``.
    public init(parsing bytes: [UInt8]) throws(PredictionError) {
        let file = try FirmwareFile(parsing: bytes)
        let sections = try parsing("firmware") { () throws(ParseError) -> [SNPSection]? in
            guard let offset = try file.address(Self.metadata, "SEV metadata offset") else {
                return nil
            }
            return try Self.sections(
                file.tail("SEV metadata offset", offsetFromEnd: offset), below: file.base)
        }
        guard let sections else { throw .noSEVMetadata }
        self.file = file
        self.sections = sections
        resetAddress = try parsing("firmware") { () throws(ParseError) in
            let address = try file.address(Self.resetBlock, "SEV-ES reset block")
            return address == 0 ? nil : address
        }
        hashTable = try parsing("firmware") { () throws(ParseError) in
            try Self.hashTable(file, sections)
        }
    }

    private static let metadata = GUID("dc886566-984a-4798-a75e-5585a7bf67cc")
    private static let resetBlock = GUID("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
    private static let hashTableArea = GUID("7255371f-3a3b-4b04-927b-1da6efa8d454")

    private static func sections(
        _ tail: [UInt8], below end: UInt64
    ) throws(ParseError) -> [SNPSection] {
        var reader = unsafe ByteReader(tail.span.bytes)
        guard try reader.bytes("SEV metadata signature", count: 4) == Array("ASEV".utf8) else {
            throw .invalid(field: "SEV metadata signature", rule: "is ASEV")
        }
        let length: UInt32 = try reader.littleEndian("SEV metadata length")
        let version: UInt32 = try reader.littleEndian("SEV metadata version")
        guard version == 1 else {
            throw .outOfRange(field: "SEV metadata version", value: UInt64(version))
        }
        let count: UInt32 = try reader.littleEndian("SEV metadata count")
        guard count <= 64 else {
            throw .outOfRange(field: "SEV metadata count", value: UInt64(count))
        }
        guard length == 16 + 12 * count else {
            throw .invalid(field: "SEV metadata length", rule: "is that of its sections")
        }
        var sections: [SNPSection] = []
        for _ in 0..<count {
            let section = try SNPSection(&reader, below: end)
            guard !sections.contains(where: { $0.overlaps(section) }) else {
                throw .invalid(field: "SEV metadata section", rule: "overlaps no other")
            }
            sections.append(section)
        }
        return sections
    }

    /// The area named in the table at the image's end must lie in the section of that kind. An image
    /// with only the area takes hashes as an SEV guest, and does not as an SNP guest.
    private static func hashTable(
        _ file: FirmwareFile, _ sections: [SNPSection]
    ) throws(ParseError) -> HashTable? {
        let pages = sections.filter { $0.kind == .kernelHashes }
        guard let page = pages.first else { return nil }
        guard pages.count == 1 else {
            throw .invalid(field: "kernel hashes section", rule: "stands there once")
        }
        guard let data = file.entry(hashTableArea) else {
            throw .invalid(field: "kernel hashes section", rule: "comes with the table's address")
        }
        var reader = unsafe ByteReader(data.span.bytes)
        let base: UInt32 = try reader.littleEndian("hash table address")
        let size: UInt32 = try reader.littleEndian("hash table size")
        guard base >= page.address, Int(size) >= KernelHashes.tableSize,
            UInt64(base) + UInt64(size) <= UInt64(page.address) + UInt64(page.size)
        else {
            throw .invalid(
                field: "hash table address", rule: "lies within the section of kernel hashes")
        }
        return HashTable(page: page.address, offset: Int(base - page.address))
    }
}
