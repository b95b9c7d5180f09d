public import Bytes

/// A TDREPORT: what the processor tells its own machine of a trust domain, under a MAC that only that
/// machine can check. Evidence for nobody else; a quote is made from it.
///
/// Layout: Intel TDX Module ABI (document 348551), tables TDREPORT_STRUCT, REPORTMACSTRUCT,
/// TEE_TCB_INFO and TDINFO_STRUCT; 1024 bytes, all integers little-endian.
public struct TDReport: Sendable, Equatable {
    /// Size of a report.
    public static let byteCount = 1024

    /// REPORTTYPE.VERSION: 0, or 1 where a service domain is bound.
    public let version: UInt8
    /// CPUSVN.
    public let cpuSVN: FixedBytes<16>
    /// TEE_TCB_INFO_HASH: SHA-384 of ``teeTCBInfo``.
    public let teeTCBInfoHash: FixedBytes<48>
    /// TEE_INFO_HASH: SHA-384 of ``tdInfo``.
    public let tdInfoHash: FixedBytes<48>
    /// TEE_TCB_INFO as received, 239 bytes.
    public let teeTCBInfo: [UInt8]
    /// TDINFO as received, 512 bytes.
    public let tdInfo: [UInt8]
    /// The fields that a quote has too; those that TDX 1.0 lacks are zero from it.
    public let body: TDReportBody

    /// REPORTDATA.
    public var reportData: FixedBytes<64> { body.reportData }

    /// Reads exactly one report; its hashes are looked at by ``hashesHold(_:)``, its MAC by nobody here.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("TDREPORT") { reader throws(ParseError) in
            try TDReport(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(ParseError) {
        let type = try reader.uint8("REPORTTYPE.TYPE")
        guard type == 0x81 else {
            throw .invalid(field: "REPORTTYPE.TYPE", rule: "is \(type), must be 129 (TDX)")
        }
        try reader.mustBeZero("REPORTTYPE.SUBTYPE", count: 1)
        version = try reader.uint8("REPORTTYPE.VERSION")
        guard version <= 1 else {
            throw .invalid(field: "REPORTTYPE.VERSION", rule: "is \(version), must be 0 or 1")
        }
        try reader.mustBeZero("REPORTTYPE.RESERVED", count: 1)
        try reader.mustBeZero("REPORTMACSTRUCT RESERVED (0x04)", count: 12)
        cpuSVN = try reader.fixed("CPUSVN")
        teeTCBInfoHash = try reader.fixed("TEE_TCB_INFO_HASH")
        tdInfoHash = try reader.fixed("TEE_INFO_HASH")
        let reportData = try reader.fixed("REPORTDATA", as: FixedBytes<64>.self)
        try reader.mustBeZero("REPORTMACSTRUCT RESERVED (0xC0)", count: 32)
        try reader.skip("MAC", count: 32)
        let tcbInfo = try reader.bytes("TEE_TCB_INFO", count: 239)
        try reader.mustBeZero("TDREPORT RESERVED (0x1EF)", count: 17)
        let tdInfo = try reader.bytes("TDINFO", count: 512)
        body = try tcbInfo.parse("TEE_TCB_INFO") { tcb throws(ParseError) in
            try tcb.skip("VALID", count: 8)
            let body = try tdInfo.parse("TDINFO") { info throws(ParseError) in
                let body = try TDReportBody(tcb: &tcb, info: &info, reportData: reportData)
                try info.mustBeZero("TDINFO RESERVED (0x1C0)", count: 64)
                return body
            }
            try tcb.mustBeZero("TEE_TCB_INFO RESERVED (0x90)", count: 95)
            return body
        }
        teeTCBInfo = tcbInfo
        self.tdInfo = tdInfo
    }

    /// Whether both halves are the ones that the report's head names.
    public func hashesHold(_ hashing: some Hashing) -> Bool {
        hashing.sha384(teeTCBInfo) == teeTCBInfoHash && hashing.sha384(tdInfo) == tdInfoHash
    }

    /// Whether `quote`'s body says the same as this report in every field that both have.
    public func agrees(with quote: TDReportBody) -> Bool {
        body.teeTCBSVN == quote.teeTCBSVN && body.mrSEAM == quote.mrSEAM
            && body.mrSignerSEAM == quote.mrSignerSEAM
            && body.seamAttributes == quote.seamAttributes
            && body.tdAttributes == quote.tdAttributes && body.xfam == quote.xfam
            && body.mrTD == quote.mrTD && body.mrConfigID == quote.mrConfigID
            && body.mrOwner == quote.mrOwner && body.mrOwnerConfig == quote.mrOwnerConfig
            && body.rtmr == quote.rtmr && body.reportData == quote.reportData
            && (quote.teeTCBSVN2 == nil || body.teeTCBSVN2 == quote.teeTCBSVN2)
            && (quote.mrServiceTD == nil || body.mrServiceTD == quote.mrServiceTD)
    }
}
