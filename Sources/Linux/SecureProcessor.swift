import CLinux
import Glibc

/// The character devices of drivers for secure processors: one `ioctl` each.
public enum SecureProcessor {
    /// SNP_GET_REPORT of `device` (`/dev/sev-guest`, Linux 5.19): MSG_REPORT_RSP, 4000 bytes.
    ///
    /// - Parameter reportData: 64 bytes.
    /// - Parameter privilege: the VMPL that the report is for, 0 to 3.
    public static func snpReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> [UInt8] {
        precondition(reportData.count == 64)
        let file = try FileDescriptor(device, .readWrite)
        var outcome: UInt64 = 0
        var response = [UInt8](repeating: 0, count: 4000)
        let result = unsafe bootgate_snp_report(
            file.rawValue, reportData, privilege, &response, &outcome)
        guard result == 0 else { throw failure("SNP_GET_REPORT", device, outcome) }
        return response
    }

    /// SNP_GET_EXT_REPORT: as ``snpReport(_:over:privilege:)``, and the GHCB certificate table in 16 KiB,
    /// zero where the host gave none.
    public static func snpExtendedReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> (response: [UInt8], certificates: [UInt8]) {
        precondition(reportData.count == 64)
        let file = try FileDescriptor(device, .readWrite)
        var outcome: UInt64 = 0
        var response = [UInt8](repeating: 0, count: 4000)
        // SEV_FW_BLOB_MAX_SIZE, the most that the driver takes.
        var certificates = [UInt8](repeating: 0, count: 16384)
        let result = unsafe bootgate_snp_extended_report(
            file.rawValue, reportData, privilege, &response, &certificates,
            UInt32(certificates.count), &outcome)
        guard result == 0 else { throw failure("SNP_GET_EXT_REPORT", device, outcome) }
        return (response, certificates)
    }

    /// TDX_CMD_GET_REPORT0 of `device` (`/dev/tdx_guest`, Linux 6.2): a TDREPORT, 1024 bytes.
    ///
    /// - Parameter reportData: 64 bytes.
    public static func tdReport(
        _ device: String, over reportData: [UInt8]
    ) throws(SystemError) -> [UInt8] {
        precondition(reportData.count == 64)
        let file = try FileDescriptor(device, .readWrite)
        var report = [UInt8](repeating: 0, count: 1024)
        guard unsafe bootgate_td_report(file.rawValue, reportData, &report) == 0 else {
            throw .current("TDX_CMD_GET_REPORT0", device)
        }
        return report
    }

    /// SNP_GUEST_VMM_ERR_BUSY of linux/sev-guest.h: the host asks to come again.
    private static let hostIsBusy: UInt64 = 2

    private static func failure(
        _ call: String, _ device: String, _ outcome: UInt64
    ) -> SystemError {
        let code = outcome >> 32 == hostIsBusy ? EBUSY : errno
        let detail = outcome == 0 ? "" : " (exitinfo2 0x\(String(outcome, radix: 16)))"
        return SystemError(call: call + detail, subject: device, code: code)
    }
}
