public import Evidence
public import Policy

/// What a ``TPMQuoteVerifier`` saw: every check, and claims only if they all held.
public struct TPMResult: Sendable, Equatable {
    /// One finding for each ``TPMCheck``, in the order in which an owner reads them.
    public let findings: [Finding]
    /// What the TPM said; nil unless the quote is authentic, over the nonce and the registers.
    public let claims: TPMClaims?
    /// The quote as it was read; nil where it could not be. Believe ``claims`` only.
    public let quote: TPMAttestation?
    /// Where the quote rests on SHA-1, in words for an owner; empty where it does not.
    public let weakAlgorithms: [String]
}
