import Bytes
import Linux

/// What a guest gets for one request: `outblob`, `auxblob` and `manifestblob` of configfs-tsm.
struct Answer: Equatable {
    /// A report of 1184 bytes, a quote, a TDREPORT; empty where nothing comes back.
    var report: [UInt8]
    /// A certificate table; empty for a host that has none.
    var certificates: [UInt8]
    /// What a service says of itself.
    var manifest: [UInt8] = []

    init(report: [UInt8], certificates: [UInt8] = [], manifest: [UInt8] = []) {
        self.report = report
        self.certificates = certificates
        self.manifest = manifest
    }

    /// Reads what ``recorded`` wrote.
    init(recorded bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("recording") { reader throws(ParseError) in
            let reportCount = try reader.littleEndian("report length", as: UInt32.self)
            let tableCount = try reader.littleEndian("certificate table length", as: UInt32.self)
            for (field, count) in [("report", reportCount), ("certificate table", tableCount)]
            where count > MailboxLayout.blobLimit {
                throw .lengthOutOfBounds(
                    field: field, length: Int(count), minimum: 0,
                    maximum: MailboxLayout.blobLimit)
            }
            return Answer(
                report: try reader.bytes("report", count: Int(reportCount)),
                certificates: try reader.bytes("certificate table", count: Int(tableCount)))
        }
    }

    /// Lengths of report and certificates as u32, little-endian, then both blobs.
    var recorded: [UInt8] {
        var bytes = ByteWriter()
        bytes.littleEndian(UInt32(report.count))
        bytes.littleEndian(UInt32(certificates.count))
        bytes.raw(report)
        bytes.raw(certificates)
        return bytes.bytes
    }
}
