import Bytes
import Evidence
import OpenSSL
import Policy

/// The processor's part of a paravisor's evidence, judged.
struct ProcessorPart {
    /// `SNP` or `TDX`.
    let kind: String
    /// Of ``AzureCheck/binding``.
    let binding: Finding
    /// Of ``AzureCheck/level``.
    let level: Finding
    /// Of ``AzureCheck/tdReport``.
    let tdReport: Finding
    /// The other findings of the processor's verifier.
    let findings: [Finding]
    /// Nil unless its verifier made claims.
    let hardware: Claims.Hardware?

    private static let levelExpected = "VMPL 0"
    private static let tdReportExpected = "the TDREPORT that the quote was made of"

    /// Has the processor's report verified, with the digest of the runtime data as its binding.
    init(
        _ report: HCLReport, _ endorsement: AzureEvidence.Endorsement, snp: SNPVerifier,
        tdx: TDXVerifier, at time: Int64
    ) {
        let expected = report.reportData(hashing: OpenSSLHashing())
        switch (report.hardware, endorsement) {
        case (.snp(let bytes), .snp(let certificates)):
            self.init(
                snp.verify(
                    reportBytes: bytes, certificates: certificates, expected: expected, at: time),
                expected)
        case (.tdx(let bytes), .tdx(let quote, let collateral)):
            self.init(
                tdx.verify(
                    quoteBytes: quote, collateral: collateral, expected: expected, at: time),
                expected, stored: bytes)
        case (.snp, .tdx):
            self.init(unmatched: "SNP", endorsement: "a TDX quote")
        case (.tdx, .snp):
            self.init(unmatched: "TDX", endorsement: "SNP certificates")
        }
    }

    private init(_ result: VerificationResult, _ expected: FixedBytes<64>) {
        kind = "SNP"
        binding = Self.binding(expected, result.report?.reportData)
        level = Self.level(result.report?.vmpl)
        tdReport = AzureCheck.tdReport.notChecked(
            expected: Self.tdReportExpected, because: "this is an SNP report")
        findings = result.findings.filter { $0.check != SNPCheck.binding.rawValue }
        hardware = result.claims?.hardware
    }

    private init(_ result: TDXResult, _ expected: FixedBytes<64>, stored: [UInt8]) {
        kind = "TDX"
        let report = Result { () throws(ParseError) in try TDReport(parsing: stored) }
        binding = Self.binding(expected, try? report.get().reportData)
        level = AzureCheck.level.notChecked(
            expected: Self.levelExpected,
            because: "a TDREPORT names no level; the guest under a paravisor cannot ask for one")
        tdReport = Self.tdReport(report, result.quote)
        findings = result.findings.filter { $0.check != TDXCheck.binding.rawValue }
        hardware = result.claims.map { .tdx($0) }
    }

    /// What there is to say where the endorsement is for the other kind of processor.
    private init(unmatched kind: String, endorsement: String) {
        let reason = "the endorsement does not fit the report"
        self.kind = kind
        binding = AzureCheck.binding.finding(
            false, expected: "an endorsement of a \(kind) report", actual: endorsement)
        level = AzureCheck.level.notChecked(expected: Self.levelExpected, because: reason)
        tdReport = AzureCheck.tdReport.notChecked(
            expected: Self.tdReportExpected, because: reason)
        findings = []
        hardware = nil
    }

    /// All of REPORT_DATA: the digest, and zeros behind it.
    private static func binding(_ expected: FixedBytes<64>, _ actual: FixedBytes<64>?) -> Finding {
        guard let actual else {
            return AzureCheck.binding.notChecked(
                expected: expected.hex, because: "the processor's report is unreadable")
        }
        return AzureCheck.binding.finding(
            expected == actual, expected: expected.hex, actual: actual.hex,
            note: "the digest of the paravisor's runtime data, then zeros")
    }

    /// A guest may ask for reports at its own level over any runtime data that it likes to make up.
    private static func level(_ vmpl: UInt32?) -> Finding {
        guard let vmpl else {
            return AzureCheck.level.notChecked(
                expected: levelExpected, because: "the processor's report is unreadable")
        }
        return AzureCheck.level.finding(
            vmpl == 0, expected: levelExpected, actual: "VMPL \(vmpl)")
    }

    /// The stored report against the quote, in every field that both have, and against its own hashes.
    private static func tdReport(
        _ report: Result<TDReport, ParseError>, _ quote: TDXQuote?
    ) -> Finding {
        let stored: TDReport
        switch report {
        case .success(let report): stored = report
        case .failure(let error):
            return AzureCheck.tdReport.finding(
                false, expected: tdReportExpected, actual: "\(error)")
        }
        guard let quote else {
            return AzureCheck.tdReport.notChecked(
                expected: tdReportExpected, because: "the quote is unreadable")
        }
        guard stored.hashesHold(OpenSSLHashing()) else {
            return AzureCheck.tdReport.finding(
                false, expected: tdReportExpected, actual: "a TDREPORT whose hashes do not hold")
        }
        let holds = stored.agrees(with: quote.body)
        return AzureCheck.tdReport.finding(
            holds, expected: tdReportExpected,
            actual: holds ? "MRTD \(stored.body.mrTD.hex)" : "another TDREPORT")
    }
}
