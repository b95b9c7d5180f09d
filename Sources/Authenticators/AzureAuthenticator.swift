public import Bytes
import Endorsements
import Evidence
import Policy
public import Protocol
public import Verification

/// Authenticates VMs behind Azure's paravisor: the processor's report, the paravisor's runtime data, and
/// the quote of its TPM.
public struct AzureAuthenticator: EvidenceAuthenticator {
    /// The check that the report that was sent is the one that the paravisor keeps.
    static let reportCheck = "paravisor's report"

    private let verifier: AzureVerifier
    private let snp: SNPAuthenticator
    private let tdx: TDXAuthenticator

    /// Shares the verifiers of plain reports and quotes, and what they remember.
    public init(verifier: AzureVerifier, snp: SNPAuthenticator, tdx: TDXAuthenticator) {
        self.verifier = verifier
        self.snp = snp
        self.tdx = tdx
    }

    /// Both kinds of Azure.
    public var kinds: Set<EvidenceKind> { [.azureSNP, .azureTDX] }

    /// Checks the whole chain from the processor to the quote, and the log.
    public func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        guard let hcl = evidence.data(.hclReport), let tpm = try TPMParts(evidence) else {
            throw .invalid(
                field: "items", rule: "expected hcl_report and tpm_quote beside Azure's report")
        }
        let given = evidence.data(.report) ?? []
        let endorsement: AzureEvidence.Endorsement
        var findings: [Finding] = []
        var wanted: [EndorsementObject] = []
        var report: SNPReport?
        if evidence.kind == .azureSNP {
            let read = try SNPReport(parsing: given)
            let certificates = try SNPAuthenticator.given(evidence, read)
            let completion = snp.complete(certificates, for: read, at: time)
            (findings, wanted) = (completion.findings, completion.wanted)
            endorsement = .snp(completion.certificates)
            report = read
        } else {
            let endorsed = tdx.endorsed(given, at: time)
            (findings, wanted) = (endorsed.findings, endorsed.wanted)
            endorsement = .tdx(quote: given, collateral: endorsed.collateral)
        }
        let result = verifier.verify(
            AzureEvidence(hclReport: hcl, quote: tpm.quote, endorsement: endorsement),
            expected: AzureExpectation(launchBinding: binding, selection: nil), at: time)
        let log = BootLog(evidence, tpm: result.claims?.tpm)
        findings += [Self.sameReport(evidence.kind, hcl, given)] + result.findings
        findings += [tpm.nameFinding] + log.findings
        return Authentication(
            findings: findings,
            claims: Claims(azure: result, log: log.result),
            platform: evidence.kind == .azureSNP ? "Azure SNP" : "Azure TDX",
            reportID: report?.reportID, chipID: report?.chipID, measurement: report?.measurement,
            missing: Remedy.isHopeless(findings) ? [] : wanted)
    }

    /// The report that was sent has to be the one that the paravisor keeps; a quote is held against the
    /// kept TDREPORT by the verifier.
    private static func sameReport(
        _ kind: EvidenceKind, _ hcl: [UInt8], _ given: [UInt8]
    ) -> Finding {
        let isSame =
            switch (try? HCLReport(parsing: hcl))?.hardware {
            case .snp(let kept): kind == .azureSNP && kept == given
            case .tdx: kind == .azureTDX
            case nil: false
            }
        return Finding(
            check: Self.reportCheck, outcome: isSame ? .ok : .refused,
            expected: "the report that the paravisor keeps", actual: isSame ? "it" : "another one")
    }
}
