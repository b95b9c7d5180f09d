public import Bytes
import Endorsements
import Evidence
import Policy
public import Protocol
import Verification

/// Authenticates SNP reports that an SVSM asked for, over the binding and its services' manifest.
public struct SVSMAuthenticator: EvidenceAuthenticator {
    private let snp: SNPAuthenticator

    /// Shares the verifier of plain SNP reports and what it remembers.
    public init(_ snp: SNPAuthenticator) {
        self.snp = snp
    }

    /// SNP reports below an SVSM only.
    public var kinds: Set<EvidenceKind> { [.svsm] }

    /// Checks report, chain and binding, the manifest, and the quote of the SVSM's TPM.
    public func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        guard let manifest = evidence.data(.manifest), !manifest.isEmpty else {
            throw .invalid(field: "items", rule: "expected a manifest beside an SVSM's report")
        }
        let tpm = try TPMParts(evidence)
        let expected = SVSMManifest.reportData(nonce: binding, manifest: manifest)
        let hardware = try snp.hardware(evidence, expected: expected, at: time)
        let quoted = tpm.map { parts in
            let trust: KeyTrustEvidence =
                hardware.result.claims?.snp.map {
                    .svsmManifest(SVSMManifest(bytes: manifest, reportVMPL: $0.vmpl))
                } ?? .nothing
            return parts.verify(trust: trust, binding: binding, at: time)
        }
        let log = BootLog(evidence, tpm: quoted?.claims)
        return hardware.authentication(
            tpm: quoted, tpm?.nameFinding, log: log, platformSuffix: " below an SVSM")
    }
}
