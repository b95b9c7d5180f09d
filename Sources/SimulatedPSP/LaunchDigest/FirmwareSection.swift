import Bytes

/// A piece of guest memory that an SEV firmware wants prepared before launch.
///
/// Layout: edk2, `OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm`: u32 address, u32 size, u32 kind.
struct FirmwareSection: Equatable {
    /// What the memory is for.
    enum Kind: UInt32 {
        /// Memory that the firmware uses before it has page tables of its own.
        case memory = 1
        /// The page into which the processor puts the guest's secrets.
        case secrets = 2
        /// The page of CPUID values that the processor checks.
        case cpuid = 3
        /// The calling area of an SVSM.
        case callingArea = 4
        /// The page that holds the table of kernel hashes.
        case kernelHashes = 0x10
    }

    var address: UInt32
    var size: UInt32
    var kind: Kind

    static let pageSize: UInt32 = 4096

    /// The addresses that the section covers.
    var range: Range<UInt64> { UInt64(address)..<UInt64(address) + UInt64(size) }

    /// The most sections of an image: its metadata lies in one page.
    private static let limit: UInt32 = 256
    private static let signature = Array("ASEV".utf8)

    /// Reads the metadata of `image`, which begins `distance` bytes before its end.
    static func sections(
        of image: [UInt8], distance: UInt32
    ) throws(PSPFault) -> [FirmwareSection] {
        guard distance <= image.count else {
            throw .unusable("firmware: its SEV metadata would begin before its start")
        }
        let bytes = Array(image.suffix(Int(distance)))
        do throws(ParseError) {
            return try read(bytes)
        } catch {
            throw .unusable("firmware: SEV metadata: \(error)")
        }
    }

    private static func read(_ bytes: [UInt8]) throws(ParseError) -> [FirmwareSection] {
        var reader = unsafe ByteReader(bytes.span.bytes)
        guard try reader.bytes("signature", count: 4) == signature else {
            throw .invalid(field: "signature", rule: "expected ASEV")
        }
        _ = try reader.littleEndian("length", as: UInt32.self)
        let version = try reader.littleEndian("version", as: UInt32.self)
        guard version == 1 else { throw .outOfRange(field: "version", value: UInt64(version)) }
        let count = try reader.littleEndian("number of sections", as: UInt32.self)
        guard count <= limit else {
            throw .outOfRange(field: "number of sections", value: UInt64(count))
        }
        var sections: [FirmwareSection] = []
        for _ in 0..<count {
            let address = try reader.littleEndian("address", as: UInt32.self)
            let size = try reader.littleEndian("size", as: UInt32.self)
            let kind = try reader.littleEndian("kind", as: UInt32.self)
            guard let known = Kind(rawValue: kind) else {
                throw .outOfRange(field: "kind", value: UInt64(kind))
            }
            guard address.isMultiple(of: pageSize), size.isMultiple(of: pageSize) else {
                throw .outOfRange(field: "size", value: UInt64(size))
            }
            sections.append(FirmwareSection(address: address, size: size, kind: known))
        }
        return sections
    }

    /// Metadata that describes `sections`.
    static func metadata(_ sections: [FirmwareSection]) -> [UInt8] {
        var metadata = ByteWriter()
        metadata.raw(signature)
        metadata.littleEndian(UInt32(16 + 12 * sections.count))
        metadata.littleEndian(UInt32(1))
        metadata.littleEndian(UInt32(sections.count))
        for section in sections {
            metadata.littleEndian(section.address)
            metadata.littleEndian(section.size)
            metadata.littleEndian(section.kind.rawValue)
        }
        return metadata.bytes
    }
}
