import Bytes

/// What an OVMF image says about its launch as a TD.
///
/// Source: Intel, "TDX Virtual Firmware Design Guide", TDVF metadata; edk2,
/// `OvmfPkg/ResetVector/X64/OvmfTdxMetadata.asm`.
public struct TDXFirmware: Sendable {
    /// The image.
    public let file: FirmwareFile
    /// In the order in which the host adds them.
    let sections: [TDXSection]

    /// Reads the image's metadata.
    ///
    /// - Throws: ``PredictionError/noTDXMetadata`` for an image without;
    ///   ``PredictionError/malformed(file:_:)``.
    public init(parsing bytes: [UInt8]) throws(PredictionError) {
        let file = try FirmwareFile(parsing: bytes)
        let sections = try parsing("firmware") { () throws(ParseError) -> [TDXSection]? in
            guard let offset = try file.address(Self.metadata, "TDX metadata offset") else {
                return nil
            }
            return try Self.sections(
                file.tail("TDX metadata offset", offsetFromEnd: offset), file.bytes.count)
        }
        guard let sections else { throw .noTDXMetadata }
        self.file = file
        self.sections = sections
    }

    /// The configuration volume: variables, which firmware measures into RTMR0.
    var configuration: (section: TDXSection, content: [UInt8])? {
        sections.first { $0.kind == .configuration }.map { ($0, content($0)) }
    }

    /// A section's bytes in memory: those of the file, then zero bytes.
    func content(_ section: TDXSection) -> [UInt8] {
        let start = Int(section.offset)
        let stored = Array(file.bytes[start..<(start + Int(section.storedSize))])
        return stored + [UInt8](repeating: 0, count: Int(section.size) - stored.count)
    }

    private static let metadata = GUID("e47a6535-984a-4798-865e-4685a7bf8ec2")

    private static func sections(
        _ tail: [UInt8], _ fileSize: Int
    ) throws(ParseError) -> [TDXSection] {
        var reader = unsafe ByteReader(tail.span.bytes)
        guard try reader.bytes("TDVF signature", count: 4) == Array("TDVF".utf8) else {
            throw .invalid(field: "TDVF signature", rule: "is TDVF")
        }
        let length: UInt32 = try reader.littleEndian("TDVF length")
        let version: UInt32 = try reader.littleEndian("TDVF version")
        guard version == 1 else {
            throw .outOfRange(field: "TDVF version", value: UInt64(version))
        }
        let count: UInt32 = try reader.littleEndian("TDVF section count")
        guard (1...64).contains(count) else {
            throw .outOfRange(field: "TDVF section count", value: UInt64(count))
        }
        guard length == 16 + 32 * count else {
            throw .invalid(field: "TDVF length", rule: "is that of its sections")
        }
        var sections: [TDXSection] = []
        for _ in 0..<count {
            let section = try TDXSection(&reader, fileSize: fileSize)
            guard !sections.contains(where: { $0.overlaps(section) }) else {
                throw .invalid(field: "TDVF section", rule: "overlaps no other")
            }
            sections.append(section)
        }
        guard sections.contains(where: { $0.kind == .boot && $0.isMeasured }) else {
            throw .invalid(field: "TDVF boot volume", rule: "is measured")
        }
        guard sections.filter({ $0.kind == .configuration }).count <= 1 else {
            throw .invalid(field: "TDVF configuration volume", rule: "stands there once")
        }
        return sections
    }
}
