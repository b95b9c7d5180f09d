public import Bytes

/// The ACPI table that says where a TD's event log is.
///
/// Layout: ACPI 6.5, section 5.2.34, "CC Event Log ACPI Table"; integers are little-endian.
public struct CCELTable: Sendable, Equatable {
    /// The kind of confidential guest; 2 is TDX.
    public let type: UInt8
    /// The kind within it.
    public let subtype: UInt8
    /// The size of the log's memory, in bytes.
    public let logAreaMinimumLength: UInt64
    /// Where that memory starts.
    public let logAreaStartAddress: UInt64

    /// Reads exactly one table of 56 bytes, whose bytes add up to zero.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("CCEL") { reader throws(ParseError) in
            let signature = try reader.bytes("Signature", count: 4)
            guard signature == Array("CCEL".utf8) else {
                throw .invalid(field: "Signature", rule: "must be CCEL")
            }
            let length = try reader.littleEndian("Length", as: UInt32.self)
            guard length == 56 else {
                throw .lengthOutOfBounds(
                    field: "Length", length: Int(length), minimum: 56, maximum: 56)
            }
            guard bytes.reduce(0, &+) == 0 else {
                throw .invalid(field: "Checksum", rule: "must make the bytes add up to zero")
            }
            try reader.skip("Revision to Creator Revision", count: 28)
            let type = try reader.uint8("CC Type")
            let subtype = try reader.uint8("CC SubType")
            try reader.mustBeZero("Reserved", count: 2)
            return CCELTable(
                type: type, subtype: subtype,
                logAreaMinimumLength: try reader.littleEndian("Log Area Minimum Length"),
                logAreaStartAddress: try reader.littleEndian("Log Area Start Address"))
        }
    }

    private init(
        type: UInt8, subtype: UInt8, logAreaMinimumLength: UInt64, logAreaStartAddress: UInt64
    ) {
        self.type = type
        self.subtype = subtype
        self.logAreaMinimumLength = logAreaMinimumLength
        self.logAreaStartAddress = logAreaStartAddress
    }
}
