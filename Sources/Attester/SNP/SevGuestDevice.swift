import Bytes
import Linux

/// `/dev/sev-guest` by `ioctl`, for kernels from 5.19 on that have no configfs-tsm.
///
/// Source: linux/sev-guest.h, message version 1; MSG_REPORT_RSP of AMD publication 56860, table 24.
struct SevGuestDevice: Sendable {
    let path: String
    let kernel: any Kernel

    /// A report over `reportData` and the certificates that the host gave.
    ///
    /// Certificates are endorsements that a verifier can have from elsewhere, so a host that gives
    /// none does not stop a launch; a processor that gives no report does.
    func response(over reportData: FixedBytes<64>) throws(AttesterError) -> SNPResponse {
        let privilege = try privilege()
        var last = ""
        for attempt in 0..<ConfigfsTSM.attempts {
            if attempt > 0 { kernel.pause(milliseconds: ConfigfsTSM.delay(after: attempt)) }
            do throws(SystemError) {
                return try ask(reportData, privilege)
            } catch {
                guard error.isTransient else { throw AttesterError(error) }
                last = error.description
            }
        }
        throw .gaveUp(attempts: ConfigfsTSM.attempts, last: last)
    }

    private func ask(
        _ reportData: FixedBytes<64>, _ privilege: UInt32
    ) throws(SystemError) -> SNPResponse {
        do throws(SystemError) {
            let (response, certificates) = try kernel.snpExtendedReport(
                path, over: reportData.bytes, privilege: privilege)
            let table = certificates.allSatisfy { $0 == 0 } ? [] : certificates
            return SNPResponse(report: try report(in: response), auxiliary: table)
        } catch {
            guard !error.isTransient else { throw error }
            let response = try kernel.snpReport(
                path, over: reportData.bytes, privilege: privilege)
            return SNPResponse(report: try report(in: response), auxiliary: [])
        }
    }

    /// The report out of MSG_REPORT_RSP: status, size, 24 reserved bytes, report.
    private func report(in response: [UInt8]) throws(SystemError) -> [UInt8] {
        let status: UInt32
        let report: [UInt8]
        do throws(ParseError) {
            var reader = unsafe ByteReader(response.span.bytes)
            status = try reader.littleEndian("STATUS")
            let size = try reader.littleEndian("REPORT_SIZE", as: UInt32.self)
            try reader.skip("reserved", count: 24)
            report = try reader.bytes("REPORT", count: Int(size))
        } catch {
            throw SystemError(call: "MSG_REPORT_RSP: \(error)", subject: path, code: 0)
        }
        guard status == 0 else {
            throw SystemError(call: "MSG_REPORT_RSP: STATUS \(status)", subject: path, code: 0)
        }
        return report
    }

    /// The level that the guest runs at; kernels that do not tell it run at level 0.
    private func privilege() throws(AttesterError) -> UInt32 {
        guard kernel.exists(GuestFiles.sevPrivilege) else { return 0 }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try kernel.read(GuestFiles.sevPrivilege, atMost: 16)
        } catch {
            throw AttesterError(error)
        }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let level = UInt32(text), level <= 3 else {
            throw .system(
                call: "a level of 0 to 3 was expected", path: GuestFiles.sevPrivilege, reason: "",
                isTransient: false)
        }
        return level
    }
}
