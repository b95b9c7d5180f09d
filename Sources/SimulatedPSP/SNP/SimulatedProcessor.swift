import Bytes
import Evidence
import OpenSSL

/// One launched guest's view of its processor: requests in, signed reports out.
struct SimulatedProcessor: ~Copyable {
    private var template: ReportTemplate
    private let key: SigningKey
    /// What the host hands out beside reports.
    private let certificates: [UInt8]
    private let floor: UInt32
    private let breaksSignature: Bool

    /// REPORT_ID of this launch.
    var reportID: FixedBytes<32> { template.reportID }

    /// Launches a guest on a chip that is endorsed by `issuers`.
    ///
    /// `floor` is the most privileged level that the guest has; it cannot speak for a lower one.
    init(
        template: ReportTemplate, key: consuming SigningKey, certificate: [UInt8],
        issuers: IssuerCertificates, floor: UInt32, faults: Set<Fault>
    ) {
        let leaf =
            template.isSignedByVLEK ? CertificateTableWriter.vlek : CertificateTableWriter.vcek
        certificates =
            faults.contains(.noCertificates)
            ? []
            : CertificateTableWriter.table([
                (leaf, certificate),
                (CertificateTableWriter.ask, issuers.intermediate),
                (CertificateTableWriter.ark, issuers.root),
            ])
        self.template = template
        self.key = key
        self.floor = floor
        breaksSignature = faults.contains(.badSignature)
    }

    /// Launches the same guest again: all is as it was, but for REPORT_ID.
    mutating func relaunch(reportID: FixedBytes<32>) {
        template.reportID = reportID
    }

    /// The answer to a well-formed request; `reportData` has 64 bytes.
    borrowing func answer(
        _ reportData: [UInt8], vmpl: UInt32, isFaulty: Bool = true
    ) throws(CryptoError) -> Answer {
        let signed = template.signedBytes(reportData: reportData, vmpl: max(vmpl, floor))
        var (r, s) = try key.signP384SHA384(signed)
        if breaksSignature, isFaulty { s[47] ^= 1 }
        r.reverse()
        s.reverse()
        return Answer(
            report: ReportTemplate.report(signedBytes: signed, littleEndianR: r, littleEndianS: s),
            certificates: certificates)
    }
}
