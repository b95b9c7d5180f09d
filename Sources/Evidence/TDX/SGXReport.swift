public import Bytes

/// The report of the quoting enclave, which vouches for the key that signs quotes.
///
/// Layout: Intel SDM volume 3D, table REPORT (its body, 384 bytes). All integers are little-endian.
public struct SGXReport: Sendable, Equatable {
    /// Size of the body.
    public static let byteCount = 384

    /// The bytes as received: what the signature is over.
    public let bytes: [UInt8]
    /// CPUSVN.
    public let cpuSVN: FixedBytes<16>
    /// MISCSELECT, in the order of the bytes.
    public let miscSelect: FixedBytes<4>
    /// ATTRIBUTES with XFRM, in the order of the bytes.
    public let attributes: FixedBytes<16>
    /// MRENCLAVE.
    public let mrEnclave: FixedBytes<32>
    /// MRSIGNER.
    public let mrSigner: FixedBytes<32>
    /// ISVPRODID.
    public let productID: UInt16
    /// ISVSVN.
    public let svn: UInt16
    /// REPORTDATA.
    public let reportData: FixedBytes<64>

    /// Reads exactly one report body; the key separation fields (CONFIGID and the like) may have any value.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("QE report") { reader throws(ParseError) in
            try SGXReport(from: &reader, bytes)
        }
    }

    private init(from reader: inout ByteReader, _ bytes: [UInt8]) throws(ParseError) {
        self.bytes = bytes
        cpuSVN = try reader.fixed("QE CPUSVN")
        miscSelect = try reader.fixed("QE MISCSELECT")
        try reader.mustBeZero("QE report RESERVED (0x014)", count: 12)
        try reader.skip("QE ISVEXTPRODID", count: 16)
        attributes = try reader.fixed("QE ATTRIBUTES")
        mrEnclave = try reader.fixed("QE MRENCLAVE")
        try reader.mustBeZero("QE report RESERVED (0x060)", count: 32)
        mrSigner = try reader.fixed("QE MRSIGNER")
        try reader.mustBeZero("QE report RESERVED (0x0A0)", count: 32)
        try reader.skip("QE CONFIGID", count: 64)
        productID = try reader.littleEndian("QE ISVPRODID")
        svn = try reader.littleEndian("QE ISVSVN")
        try reader.skip("QE CONFIGSVN", count: 2)
        try reader.mustBeZero("QE report RESERVED (0x106)", count: 42)
        try reader.skip("QE ISVFAMILYID", count: 16)
        reportData = try reader.fixed("QE REPORTDATA")
    }
}
