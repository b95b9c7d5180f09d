public import Bytes
public import Endorsements
import Evidence
import Policy
public import Protocol
public import Verification

/// Authenticates SEV-SNP reports, with certificates from the host's table or from the owner's directory.
public struct SNPAuthenticator: EvidenceAuthenticator {
    private let verifier: SNPVerifier
    private let directory: CertificateDirectory?

    /// Takes a verifier, and where to look for certificates that the host does not hand out.
    public init(verifier: SNPVerifier, directory: CertificateDirectory?) {
        self.verifier = verifier
        self.directory = directory
    }

    /// SEV-SNP only.
    public var kinds: Set<EvidenceKind> { [.snp] }

    /// Checks report, chain and binding.
    public func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        guard evidence.kind == .snp else {
            return Authentication(findings: [
                Finding(
                    check: "evidence kind", outcome: .refused, expected: "snp",
                    actual: evidence.kind.description)
            ])
        }
        let reportBytes = evidence.data(.report) ?? []
        let report = try SNPReport(parsing: reportBytes)
        var certificates = SNPCertificates()
        if let table = evidence.data(.certificateTable), !table.isEmpty {
            certificates = SNPCertificates(
                try SNPCertificateTable(parsing: table), signedBy: report.signingKey)
        }
        let completion = complete(certificates, for: report, at: time)
        let result = verifier.verify(
            reportBytes: reportBytes, certificates: completion.certificates, expected: binding,
            at: time)
        return Authentication(
            findings: completion.findings + result.findings,
            claims: result.claims,
            platform: report.product.map { "SNP \($0.rawValue)" }
                ?? result.claims?.snp.map { "SNP \($0.product.rawValue)" } ?? "SNP",
            reportID: report.reportID, chipID: report.chipID, measurement: report.measurement,
            missing: Self.isHopeless(result.findings) ? [] : completion.wanted)
    }

    /// Whether no certificate could make these findings good.
    private static func isHopeless(_ findings: [Finding]) -> Bool {
        let ownChecks: [SNPCheck] = [.report, .binding, .tcbOrder]
        return findings.contains { finding in
            finding.outcome == .refused && ownChecks.contains { $0.rawValue == finding.check }
        }
    }

    /// There is a finding for each certificate that is missing, and it names it.
    private func complete(
        _ table: SNPCertificates, for report: SNPReport, at time: Int64
    ) -> (certificates: SNPCertificates, findings: [Finding], wanted: [EndorsementObject]) {
        guard let directory else { return (table, [], []) }
        let completion = directory.complete(table: table, for: report, at: time)
        let findings = completion.missing.map { missing in
            Finding(
                check: Authentication.endorsementsCheck, outcome: .refused,
                expected: "\(missing.name), from the host or in the endorsements directory",
                actual: "missing")
        }
        return (completion.certificates, findings, completion.wanted)
    }
}
