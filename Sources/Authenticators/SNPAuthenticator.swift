public import Bytes
public import Endorsements
import Evidence
import OpenSSL
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

    /// Checks report, chain and binding, and what came of a TPM and of a log.
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
        let tpm = try TPMParts(evidence)
        let hardware = try hardware(evidence, expected: binding, at: time)
        let quoted = tpm.map {
            $0.verify(isVouchedFor: hardware.result.claims != nil, binding: binding, at: time)
        }
        let log = BootLog(evidence, tpm: quoted?.claims)
        return hardware.authentication(tpm: quoted, tpm?.nameFinding, log: log)
    }

    /// What was made of a report, before anything else is looked at.
    struct Hardware {
        let report: SNPReport
        let result: VerificationResult
        /// Of certificates that are missing.
        let findings: [Finding]
        let wanted: [EndorsementObject]

        /// Joins what came beside the report.
        func authentication(
            tpm: TPMResult?, _ nameFinding: Finding?, log: BootLog, platformSuffix: String = ""
        ) -> Authentication {
            let product = report.product ?? result.claims?.snp?.product
            let all =
                findings + result.findings + (nameFinding.map { [$0] } ?? [])
                + (tpm?.findings ?? []) + log.findings
            return Authentication(
                findings: all,
                claims: Claims(snp: result, tpm: tpm, log: log.result),
                platform: (product.map { "SNP \($0.rawValue)" } ?? "SNP") + platformSuffix,
                reportID: report.reportID, chipID: report.chipID, measurement: report.measurement,
                missing: Remedy.isHopeless(all) ? [] : wanted)
        }
    }

    /// Verifies the report of `evidence`, which has to be over `expected`.
    func hardware(
        _ evidence: EvidenceMessage, expected: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Hardware {
        let reportBytes = evidence.data(.report) ?? []
        let report = try SNPReport(parsing: reportBytes)
        let completion = complete(try Self.given(evidence, report), for: report, at: time)
        let result = verifier.verify(
            reportBytes: reportBytes, certificates: completion.certificates, expected: expected,
            at: time)
        return Hardware(
            report: report, result: result, findings: completion.findings,
            wanted: completion.wanted)
    }

    /// What the host gave: its table, or what its metadata service says.
    static func given(
        _ evidence: EvidenceMessage, _ report: SNPReport
    ) throws(ParseError) -> SNPCertificates {
        if let table = evidence.data(.certificateTable), !table.isEmpty {
            return SNPCertificates(
                try SNPCertificateTable(parsing: table), signedBy: report.signingKey)
        }
        guard let pem = evidence.data(.imdsCertificates), !pem.isEmpty else {
            return SNPCertificates()
        }
        do throws(X509Error) {
            let chain = try X509Certificate.certificates(pem: pem)
            return SNPCertificates(
                endorsementKey: chain.first?.der,
                intermediate: chain.dropFirst().first?.der,
                root: chain.dropFirst(2).first?.der)
        } catch {
            throw .invalid(field: "imds_certificates", rule: "expected a chain in PEM: \(error)")
        }
    }

    /// There is a finding for each certificate that is missing, and it names it.
    func complete(
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
