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
    private let changesReportData: Bool

    /// REPORT_ID of this launch.
    var reportID: FixedBytes<32> { template.reportID }

    /// Launches a guest on a chip that is endorsed by `issuers`.
    ///
    /// `floor` is the most privileged level that the guest has; it cannot speak for a lower one.
    init(
        template: ReportTemplate, key: consuming SigningKey, certificate: [UInt8],
        issuers: IssuerCertificates, floor: UInt32, faults: Set<Fault>,
        revocationList: [UInt8]? = nil
    ) {
        let leaf =
            template.isSignedByVLEK ? CertificateTableWriter.vlek : CertificateTableWriter.vcek
        var entries = [
            (leaf, certificate), (CertificateTableWriter.ask, issuers.intermediate),
            (CertificateTableWriter.ark, issuers.root),
        ]
        if let revocationList { entries.append((CertificateTableWriter.crl, revocationList)) }
        certificates =
            faults.contains(.noCertificates) ? [] : CertificateTableWriter.table(entries)
        self.template = template
        self.key = key
        self.floor = floor
        breaksSignature = faults.contains(.badSignature)
        changesReportData = faults.contains(.wrongReportData)
    }

    /// Launches the same guest again: all is as it was, but for REPORT_ID.
    mutating func relaunch(reportID: FixedBytes<32>) {
        template.reportID = reportID
    }

    /// The answer to a well-formed request; `reportData` has 64 bytes.
    borrowing func answer(
        _ reportData: [UInt8], vmpl: UInt32, isFaulty: Bool = true
    ) throws(CryptoError) -> Answer {
        try report(reportData, vmpl: max(vmpl, floor), isFaulty: isFaulty)
    }

    /// What an SVSM answers for one of its services: a report of its own level, VMPL 0, over
    /// SHA-512(nonce || manifest).
    borrowing func serviceAnswer(
        nonce: [UInt8], manifest: [UInt8], isFaulty: Bool = true
    ) throws(CryptoError) -> Answer {
        let bound = OpenSSLHashing().sha512(nonce + manifest)
        var answer = try report(bound.bytes, vmpl: 0, isFaulty: isFaulty)
        answer.manifest = manifest
        return answer
    }

    private borrowing func report(
        _ reportData: [UInt8], vmpl: UInt32, isFaulty: Bool
    ) throws(CryptoError) -> Answer {
        var data = reportData
        if changesReportData, isFaulty { data[0] ^= 1 }
        let signed = template.signedBytes(reportData: data, vmpl: vmpl)
        var (r, s) = try key.signP384SHA384(signed)
        if breaksSignature, isFaulty { s[47] ^= 1 }
        r.reverse()
        s.reverse()
        return Answer(
            report: ReportTemplate.report(signedBytes: signed, littleEndianR: r, littleEndianS: s),
            certificates: certificates)
    }
}
