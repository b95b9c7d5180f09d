public import Bytes

/// The attestation report of Azure's paravisor (HCL), from NV index 0x01400001. Nothing in it has been
/// authenticated.
///
/// Layout: `az-cvm-vtpm` of azure-cvm-tooling and Microsoft's "Confidential VM guest attestation" pages;
/// seen in header versions 1 and 2, which differ in nothing that is read here. All integers are
/// little-endian: a header of 32 bytes, room for a hardware report of 1184, and the runtime data.
public struct HCLReport: Sendable, Equatable {
    /// The longest contents of the index that are read, in bytes; today it has 2600.
    public static let maximumByteCount = 8192
    /// Bytes that a hardware report has room for.
    public static let hardwareByteCount = SNPReport.byteCount

    /// The processor's own report.
    public enum Hardware: Sendable, Equatable {
        /// REPORT_TYPE 2: an ATTESTATION_REPORT, 1184 bytes.
        case snp([UInt8])
        /// REPORT_TYPE 4: a TDREPORT, 1024 bytes; a quote has to be made of it.
        case tdx([UInt8])

        /// The bytes, of whichever kind.
        public var bytes: [UInt8] {
            switch self {
            case .snp(let bytes), .tdx(let bytes): bytes
            }
        }
    }

    /// VERSION of the header: 1 or 2.
    public let version: UInt32
    /// The processor's own report.
    public let hardware: Hardware
    /// HASH_TYPE: how the hardware report's REPORT_DATA was made of ``variableData``.
    public let hash: HashAlgorithm
    /// The JSON text, exactly VAR_DATA_SIZE bytes: what is hashed.
    public let variableData: [UInt8]

    /// Reads exactly one report; only zeros may fill the rest of the index.
    ///
    /// - Throws: an error that names the first field that is wrong.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "HCL report", length: bytes.count, minimum: 1,
                maximum: Self.maximumByteCount)
        }
        self = try bytes.parse("HCL report") { reader throws(ParseError) in
            try HCLReport(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(ParseError) {
        let signature = try reader.bytes("SIGNATURE", count: 4)
        guard signature == Array("HCLA".utf8) else {
            throw .invalid(field: "SIGNATURE", rule: "must be HCLA")
        }
        version = try reader.littleEndian("VERSION")
        guard version == 1 || version == 2 else {
            throw .invalid(field: "VERSION", rule: "is \(version), must be 1 or 2")
        }
        let reportSize = try reader.littleEndian("REPORT_SIZE", as: UInt32.self)
        let requestType = try reader.littleEndian("REQUEST_TYPE", as: UInt32.self)
        guard requestType == 2 else {
            throw .invalid(
                field: "REQUEST_TYPE", rule: "is \(requestType), must be 2 (attestation key)")
        }
        let status = try reader.littleEndian("STATUS", as: UInt32.self)
        guard status == 0 else {
            throw .invalid(field: "STATUS", rule: "is \(status), must be 0: the paravisor failed")
        }
        try reader.mustBeZero("RESERVED (0x14)", count: 12)
        let hardware = try reader.bytes("HW_REPORT", count: Self.hardwareByteCount)
        let dataSize = try reader.littleEndian("DATA_SIZE", as: UInt32.self)
        let dataVersion = try reader.littleEndian("runtime VERSION", as: UInt32.self)
        guard dataVersion == 1 else {
            throw .invalid(field: "runtime VERSION", rule: "is \(dataVersion), must be 1")
        }
        self.hardware = try Self.hardware(&reader, hardware)
        hash = try Self.hash(&reader)
        let variableSize = try reader.littleEndian("VAR_DATA_SIZE", as: UInt32.self)
        // Also keeps the sums below from overflowing.
        guard variableSize <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "VAR_DATA", length: Int(variableSize), minimum: 2,
                maximum: Self.maximumByteCount)
        }
        guard dataSize == variableSize + 20 else {
            throw .invalid(
                field: "DATA_SIZE",
                rule: "is \(dataSize), must be VAR_DATA_SIZE (\(variableSize)) and 20")
        }
        guard reportSize == dataSize + 32 + UInt32(Self.hardwareByteCount) else {
            throw .invalid(
                field: "REPORT_SIZE",
                rule: "is \(reportSize), must be DATA_SIZE (\(dataSize)) and 1216")
        }
        variableData = try reader.bytes("VAR_DATA", count: Int(variableSize))
        try reader.mustBeZero("rest of the NV index", count: reader.remaining)
    }

    private static func hardware(
        _ reader: inout ByteReader, _ bytes: [UInt8]
    ) throws(ParseError) -> Hardware {
        let type = try reader.littleEndian("REPORT_TYPE", as: UInt32.self)
        switch type {
        case 2: return .snp(bytes)
        case 4:
            guard bytes.dropFirst(1024).allSatisfy({ $0 == 0 }) else {
                throw .reservedNotZero(field: "HW_REPORT behind the TDREPORT")
            }
            return .tdx(Array(bytes.prefix(1024)))
        default:
            throw .invalid(field: "REPORT_TYPE", rule: "is \(type), must be 2 (SNP) or 4 (TDX)")
        }
    }

    private static func hash(_ reader: inout ByteReader) throws(ParseError) -> HashAlgorithm {
        let type = try reader.littleEndian("HASH_TYPE", as: UInt32.self)
        switch type {
        case 1: return .sha256
        case 2: return .sha384
        case 3: return .sha512
        default:
            throw .invalid(
                field: "HASH_TYPE",
                rule: "is \(type), must be 1 (SHA-256), 2 (SHA-384) or 3 (SHA-512)")
        }
    }

    /// What REPORT_DATA of the hardware report has to be: the digest of ``variableData``, then zeros.
    public func reportData(hashing: some Hashing) -> FixedBytes<64> {
        let digest = hashing.digest(hash, variableData)
        let padded = digest + [UInt8](repeating: 0, count: max(0, 64 - digest.count))
        // Each of the three functions gives 64 bytes or fewer.
        return FixedBytes(padded) ?? FixedBytes()
    }
}
