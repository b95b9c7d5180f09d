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
        let completion = complete(certificates, for: report)
        let result = verifier.verify(
            reportBytes: reportBytes, certificates: completion.certificates, expected: binding,
            at: time)
        return Authentication(
            findings: completion.finding.map { [$0] + result.findings } ?? result.findings,
            claims: result.claims,
            platform: report.product.map { "SNP \($0.rawValue)" }
                ?? result.claims?.snp.map { "SNP \($0.product.rawValue)" } ?? "SNP",
            reportID: report.reportID, chipID: report.chipID, measurement: report.measurement)
    }

    /// The finding is there where a certificate is missing, and names it.
    private func complete(
        _ table: SNPCertificates, for report: SNPReport
    ) -> (certificates: SNPCertificates, finding: Finding?) {
        guard let directory else { return (table, nil) }
        switch directory.complete(table: table, for: report) {
        case .complete(let certificates): return (certificates, nil)
        case .missing(let name):
            let finding = Finding(
                check: "endorsements", outcome: .refused,
                expected: "\(name), from the host or in the endorsements directory",
                actual: "missing")
            return (table, finding)
        }
    }
}
