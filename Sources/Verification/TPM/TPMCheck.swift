/// Every check that a ``TPMQuoteVerifier`` makes; each leaves exactly one finding of this name.
///
/// The names are stable, and none of them is a name of another verifier's or a policy's check.
/// `docs/evidence-tpm.md` explains each and names the document that it comes from.
public enum TPMCheck: String, Sendable, Hashable, CaseIterable {
    /// The bytes are a quote and a signature.
    case quote = "TPM quote"
    /// The attestation key signed the quote.
    case signature = "TPM signature"
    /// The key can sign nothing that its TPM did not make.
    case key = "TPM key"
    /// The quote is over this session's nonce.
    case nonce = "TPM nonce"
    /// The quote is about the registers that were asked for.
    case selection = "PCR selection"
    /// The claimed values of the registers are the quoted ones.
    case digest = "PCR digest"
    /// No part rests on SHA-1.
    case algorithms = "TPM algorithms"
    /// The certificates of the TPM's key are signed by each other and fit for that.
    case keyChain = "TPM key chain"
    /// That chain ends in a root key that is pinned.
    case keyRoot = "TPM key root"
    /// Each of those certificates is valid at the verifier's time.
    case keyDates = "TPM key dates"
    /// None of those certificates was taken back by its issuer.
    case keyRevocation = "TPM key revocation"
    /// Something that is believed vouches for the attestation key.
    case keyTrust = "TPM key trust"
}

extension TPMCheck: VerifierCheck {}
