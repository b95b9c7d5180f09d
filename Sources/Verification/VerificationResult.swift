public import Evidence
public import Policy

/// What a verifier saw: every check that authenticity rests on, and claims only if they all held.
public struct VerificationResult: Sendable, Equatable {
    /// One finding for each check, in the order in which an owner reads them.
    public let findings: [Finding]
    /// What the processor said; nil unless the evidence is authentic, fresh and bound to this session.
    public let claims: Claims?
    /// The report as it was read, for a ledger; nil where it could not be read. Believe ``claims`` only.
    public let report: SNPReport?
}
