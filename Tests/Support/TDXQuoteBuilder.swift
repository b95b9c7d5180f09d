import Bytes

/// Makes the bytes of a TDX quote from its parts, each of which may be set, also to nonsense.
public struct TDXQuoteBuilder: Sendable {
    /// Where fields stand in a body.
    public enum BodyField: Int, Sendable {
        /// TEE_TCB_SVN.
        case teeTCBSVN = 0x00
        /// MRSEAM.
        case mrSEAM = 0x10
        /// MRSIGNERSEAM.
        case mrSignerSEAM = 0x40
        /// SEAMATTRIBUTES.
        case seamAttributes = 0x70
        /// TDATTRIBUTES.
        case tdAttributes = 0x78
        /// XFAM.
        case xfam = 0x80
        /// MRTD.
        case mrTD = 0x88
        /// MRCONFIGID.
        case mrConfigID = 0xb8
        /// RTMR3.
        case rtmr3 = 0x1d8
        /// REPORTDATA.
        case reportData = 0x208
        /// TEE_TCB_SVN_2.
        case teeTCBSVN2 = 0x248
    }

    /// Header of 48 bytes.
    public var header: [UInt8]
    /// BODY_TYPE of version 5; nil in version 4, which has none.
    public var bodyType: UInt16?
    /// Body.
    public var body: [UInt8]
    /// Over header and body.
    public var signature = [UInt8](repeating: 0x51, count: 64)
    /// x || y.
    public var attestationKey = [UInt8](repeating: 0xa1, count: 64)
    /// Report of the quoting enclave.
    public var qeReport: [UInt8]
    /// Over that.
    public var qeReportSignature = [UInt8](repeating: 0x52, count: 64)
    /// Hashed with the key.
    public var authenticationData = [UInt8](0..<32)
    /// Types of the outer and inner certification data.
    public var certificationTypes: (outer: UInt16, inner: UInt16) = (6, 5)
    /// The PCK's chain.
    public var chain = Array("-----BEGIN CERTIFICATE-----\n".utf8)
    /// Bytes behind the quote.
    public var trailer: [UInt8] = []

    /// A well-formed quote: TDX module 1.5, no debugging.
    public init(version: UInt16 = 4, bodyType: UInt16 = 2) {
        var writer = ByteWriter()
        writer.littleEndian(version)
        writer.littleEndian(UInt16(2))
        writer.littleEndian(UInt32(0x81))
        writer.zeros(4)
        writer.raw(FixedBytes<16>(hex: "939a7233f79c4ca9940a0db3957f0607")?.bytes ?? [])
        writer.raw([UInt8](repeating: 0xd0, count: 20))
        header = writer.bytes
        self.bodyType = version == 5 ? bodyType : nil
        body = Array(repeating: 0, count: version == 5 && bodyType == 3 ? 648 : 584)
        qeReport = Array(repeating: 0, count: 384)
        qeReport.replaceSubrange(0x30..<0x34, with: [0x15, 0, 0, 0])
        qeReport.replaceSubrange(0x38..<0x3c, with: [0xe7, 0, 0, 0])
        qeReport.replaceSubrange(0x80..<0xa0, with: [UInt8](repeating: 0xdc, count: 32))
        qeReport.replaceSubrange(0x100..<0x104, with: [2, 0, 6, 0])
        set(.teeTCBSVN, [5, 1, 7])
        set(.mrSEAM, [UInt8](repeating: 0x5e, count: 48))
        set(.tdAttributes, [0, 0, 0, 0x10])
        set(.xfam, [0xe7, 0, 6])
        set(.mrTD, [UInt8](repeating: 0x7d, count: 48))
        set(.mrConfigID, [UInt8](repeating: 0xc0, count: 32))
        if body.count == 648 { set(.teeTCBSVN2, [5, 1, 7]) }
    }

    /// Overwrites bytes of the body.
    public mutating func set(_ field: BodyField, _ value: [UInt8]) {
        body.replaceSubrange(field.rawValue..<field.rawValue + value.count, with: value)
    }

    /// What the attestation key signs.
    public var signedBytes: [UInt8] {
        var writer = ByteWriter()
        writer.raw(header)
        if let bodyType {
            writer.littleEndian(bodyType)
            writer.littleEndian(UInt32(body.count))
        }
        writer.raw(body)
        return writer.bytes
    }

    /// The whole quote.
    public var bytes: [UInt8] {
        var inner = ByteWriter()
        inner.raw(qeReport)
        inner.raw(qeReportSignature)
        inner.littleEndian(UInt16(authenticationData.count))
        inner.raw(authenticationData)
        inner.littleEndian(certificationTypes.inner)
        inner.littleEndian(UInt32(chain.count))
        inner.raw(chain)
        var section = ByteWriter()
        section.raw(signature)
        section.raw(attestationKey)
        section.littleEndian(certificationTypes.outer)
        section.littleEndian(UInt32(inner.bytes.count))
        section.raw(inner.bytes)
        var writer = ByteWriter()
        writer.raw(signedBytes)
        writer.littleEndian(UInt32(section.bytes.count))
        writer.raw(section.bytes)
        writer.raw(trailer)
        return writer.bytes
    }
}
