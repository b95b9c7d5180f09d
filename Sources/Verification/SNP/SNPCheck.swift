/// Every check that a ``SNPVerifier`` makes; each leaves exactly one finding of this name.
///
/// The names are stable, and none of them is a name of a policy's check. `docs/evidence-snp.md`
/// explains each and names the document that it comes from.
public enum SNPCheck: String, Sendable, Hashable, CaseIterable {
    /// The bytes are an ATTESTATION_REPORT.
    case report
    /// The certified key signed the report.
    case signature
    /// The certificates are of the right kinds and signed by each other.
    case chain
    /// The chain ends in a root key that is pinned.
    case root
    /// Every certificate is valid at the verifier's time.
    case certificateDates = "certificate dates"
    /// The issuers' revocation lists are genuine and current.
    case revocationList = "revocation list"
    /// No certificate was taken back by its issuer.
    case revocation
    /// Report and certificates are about one processor line.
    case product
    /// The report was signed by the kind of key that the certificate is for.
    case endorsementKey = "endorsement key"
    /// The certificate is for the chip that the report names.
    case endorsedChip = "endorsed chip"
    /// The certificate is for the firmware versions that the report names.
    case endorsedTCB = "endorsed TCB"
    /// The platform's firmware versions are in the order that firmware keeps.
    case tcbOrder = "TCB order"
    /// The report is over this session's binding.
    case binding
}

extension SNPCheck: VerifierCheck {}
