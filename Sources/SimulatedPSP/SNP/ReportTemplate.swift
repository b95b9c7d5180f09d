import Bytes
import Evidence

/// All of a launch that stands in each of its reports; what is left is REPORT_DATA and VMPL.
struct ReportTemplate {
    var version: UInt32
    var product: SNPProduct
    var policy: UInt64
    /// Whether a VLEK signs, instead of the chip's VCEK.
    var isSignedByVLEK: Bool
    var tcb: FixedBytes<8>
    var measurement: FixedBytes<48>
    var hostData: FixedBytes<32>
    var reportID: FixedBytes<32>
    var chipID: FixedBytes<64>
    /// COMMITTED_TCB, CURRENT_TCB and LAUNCH_TCB, where they differ from REPORTED_TCB.
    var committedTCB: FixedBytes<8>?
    var currentTCB: FixedBytes<8>?
    var launchTCB: FixedBytes<8>?
    /// PLATFORM_INFO: SMT_EN and ECC_EN.
    var platformInfo: UInt64 = 0x5
    /// MASK_CHIP_KEY of KEY_INFO.
    var masksChipKey = false
    /// LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR, of version 5.
    var launchMitigations: UInt64 = 0
    var currentMitigations: UInt64 = 0

    /// The signed part of an ATTESTATION_REPORT, bytes 0 to 0x29F.
    ///
    /// Layout: AMD publication 56860, table ATTESTATION_REPORT.
    func signedBytes(reportData: [UInt8], vmpl: UInt32) -> [UInt8] {
        var report = ByteWriter()
        report.littleEndian(version)
        report.littleEndian(UInt32(0))  // GUEST_SVN
        report.littleEndian(policy)
        report.zeros(16 + 16)  // FAMILY_ID, IMAGE_ID
        report.littleEndian(vmpl)
        report.littleEndian(UInt32(1))  // SIGNATURE_ALGO: ECDSA P-384 with SHA-384
        report.fixed(currentTCB ?? tcb)
        report.littleEndian(platformInfo)
        // KEY_INFO: MASK_CHIP_KEY, SIGNING_KEY
        report.littleEndian(UInt32((isSignedByVLEK ? 1 << 2 : 0) | (masksChipKey ? 2 : 0)))
        report.zeros(4)
        report.raw(reportData)
        report.fixed(measurement)
        report.fixed(hostData)
        report.zeros(48 + 48)  // ID_KEY_DIGEST, AUTHOR_KEY_DIGEST
        report.fixed(reportID)
        report.raw(repeatElement(0xff, count: 32))  // REPORT_ID_MA: no migration agent
        report.fixed(tcb)  // REPORTED_TCB
        report.raw(version >= 3 ? cpuid : [0, 0, 0])
        report.zeros(0x1a0 - 0x18b)
        report.fixed(chipID)
        report.fixed(committedTCB ?? tcb)
        report.raw([21, 55, 1, 0])  // CURRENT_BUILD, _MINOR, _MAJOR
        report.raw([21, 55, 1, 0])  // COMMITTED_BUILD, _MINOR, _MAJOR
        report.fixed(launchTCB ?? tcb)
        if version >= 5 {
            report.littleEndian(launchMitigations)
            report.littleEndian(currentMitigations)
        }
        report.zeros(SNPReport.signedByteCount - report.bytes.count)
        return report.bytes
    }

    /// CPUID_FAM_ID, CPUID_MOD_ID, CPUID_STEP of a part of the product.
    private var cpuid: [UInt8] {
        switch product {
        case .milan: [0x19, 0x01, 1]
        case .genoa: [0x19, 0x11, 1]
        case .turin: [0x1a, 0x02, 1]
        }
    }

    /// The whole report of 1184 bytes: the signed part, then R and S in 72 bytes each.
    static func report(
        signedBytes: [UInt8], littleEndianR r: [UInt8], littleEndianS s: [UInt8]
    ) -> [UInt8] {
        var report = ByteWriter()
        report.raw(signedBytes)
        for number in [r, s] {
            report.raw(number)
            report.zeros(72 - number.count)
        }
        report.zeros(SNPReport.byteCount - report.bytes.count)
        return report.bytes
    }
}
