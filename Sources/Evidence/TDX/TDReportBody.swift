public import Bytes

/// What a trust domain and the module under it are, as a quote signs it; nothing in it has been
/// authenticated by reading it.
///
/// Layout: Intel TDX DCAP Quoting Library API, appendix A.3 (TD Quote Body); 584 bytes from TDX 1.0,
/// 648 bytes from TDX 1.5. All integers are little-endian.
public struct TDReportBody: Sendable, Equatable {
    /// Size of a body of TDX 1.0.
    public static let byteCount = 584
    /// Size of a body of TDX 1.5, which has ``teeTCBSVN2`` and ``mrServiceTD``.
    public static let byteCount15 = 648

    /// TEE_TCB_SVN: security versions of the module that launched the domain: [0] its own, [1] its major
    /// version, from [2] on the rest.
    public let teeTCBSVN: FixedBytes<16>
    /// MRSEAM: measurement of the TDX module.
    public let mrSEAM: FixedBytes<48>
    /// MRSIGNERSEAM: zero for a module of Intel's.
    public let mrSignerSEAM: FixedBytes<48>
    /// SEAMATTRIBUTES: zero so far.
    public let seamAttributes: FixedBytes<8>
    /// TDATTRIBUTES.
    public let tdAttributes: TDAttributes
    /// XFAM: the extended processor state that the domain may use.
    public let xfam: UInt64
    /// MRTD: measurement of what the domain was built from, firmware above all.
    public let mrTD: FixedBytes<48>
    /// MRCONFIGID: what the host gave at launch.
    public let mrConfigID: FixedBytes<48>
    /// MROWNER: what the host named as the owner.
    public let mrOwner: FixedBytes<48>
    /// MROWNERCONFIG: what the host named as the owner's configuration.
    public let mrOwnerConfig: FixedBytes<48>
    /// RTMR0 to RTMR3: what ran since, as the domain itself extended it; always four.
    public let rtmr: [FixedBytes<48>]
    /// REPORTDATA: what the domain asked to be signed.
    public let reportData: FixedBytes<64>
    /// TEE_TCB_SVN_2: the versions of the module that runs now; nil in a body of TDX 1.0.
    public let teeTCBSVN2: FixedBytes<16>?
    /// MRSERVICETD: the service domains that are bound; nil in a body of TDX 1.0.
    public let mrServiceTD: FixedBytes<48>?

    /// Reads one body, whose size says which of the two it is.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard [Self.byteCount, Self.byteCount15].contains(bytes.count) else {
            throw .invalid(
                field: "TD quote body", rule: "has \(bytes.count) bytes, must have 584 or 648")
        }
        self = try bytes.parse("TD quote body") { reader throws(ParseError) in
            try TDReportBody(from: &reader, is15: bytes.count == Self.byteCount15)
        }
    }

    init(from reader: inout ByteReader, is15: Bool) throws(ParseError) {
        teeTCBSVN = try reader.fixed("TEE_TCB_SVN")
        mrSEAM = try reader.fixed("MRSEAM")
        mrSignerSEAM = try reader.fixed("MRSIGNERSEAM")
        seamAttributes = try reader.fixed("SEAMATTRIBUTES")
        tdAttributes = try Self.attributes(&reader)
        xfam = try reader.littleEndian("XFAM")
        mrTD = try reader.fixed("MRTD")
        mrConfigID = try reader.fixed("MRCONFIGID")
        mrOwner = try reader.fixed("MROWNER")
        mrOwnerConfig = try reader.fixed("MROWNERCONFIG")
        rtmr = try Self.registers(&reader)
        reportData = try reader.fixed("REPORTDATA")
        teeTCBSVN2 = is15 ? try reader.fixed("TEE_TCB_SVN_2") : nil
        mrServiceTD = is15 ? try reader.fixed("MRSERVICETD") : nil
    }

    /// Reads the parts of a TDREPORT, which have other places there.
    init(tcb: inout ByteReader, info: inout ByteReader, reportData: FixedBytes<64>)
        throws(ParseError)
    {
        teeTCBSVN = try tcb.fixed("TEE_TCB_SVN")
        mrSEAM = try tcb.fixed("MRSEAM")
        mrSignerSEAM = try tcb.fixed("MRSIGNERSEAM")
        seamAttributes = try tcb.fixed("SEAMATTRIBUTES")
        teeTCBSVN2 = try tcb.fixed("TEE_TCB_SVN_2")
        tdAttributes = try Self.attributes(&info)
        xfam = try info.littleEndian("XFAM")
        mrTD = try info.fixed("MRTD")
        mrConfigID = try info.fixed("MRCONFIGID")
        mrOwner = try info.fixed("MROWNER")
        mrOwnerConfig = try info.fixed("MROWNERCONFIG")
        rtmr = try Self.registers(&info)
        mrServiceTD = try info.fixed("SERVTD_HASH")
        self.reportData = reportData
    }

    static func attributes(_ reader: inout ByteReader) throws(ParseError) -> TDAttributes {
        let bits = try reader.littleEndian("TDATTRIBUTES", as: UInt64.self)
        guard bits & TDAttributes.mustBeZero == 0 else {
            throw .reservedNotZero(field: "TDATTRIBUTES bits 1 to 3, 7 to 15, 17 to 26, 32 to 61")
        }
        return TDAttributes(rawValue: bits)
    }

    private static func registers(
        _ reader: inout ByteReader
    ) throws(ParseError) -> [FixedBytes<48>] {
        var registers: [FixedBytes<48>] = []
        for index in 0..<4 { registers.append(try reader.fixed("RTMR\(index)")) }
        return registers
    }
}
