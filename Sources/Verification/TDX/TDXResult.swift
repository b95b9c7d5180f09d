public import Evidence
public import Policy

/// What a ``TDXVerifier`` saw: every check, and claims only if those that authenticity rests on held.
public struct TDXResult: Sendable, Equatable {
    /// One finding for each ``TDXCheck``, in the order in which an owner reads them.
    public let findings: [Finding]
    /// What the quote said; nil unless it is authentic, and bound unless that was optional.
    public let claims: TDXClaims?
    /// The quote as it was read; nil where it could not be. Believe ``claims`` only.
    public let quote: TDXQuote?
    /// How Intel rates the platform; nil without genuine collateral for it.
    public let rating: TDXRating?
}
