public import Bytes
public import Endorsements
public import Policy
public import Protocol

/// What is known of evidence before any policy looks at it.
public struct Authentication: Sendable {
    /// The check that says what of a vendor's is missing.
    public static let endorsementsCheck = "endorsements"

    /// The checks of signature, chain, certificates and binding.
    public var findings: [Finding]
    /// What the processor said; nil unless every check that must hold holds.
    public var claims: Claims?
    /// Such as `SNP Genoa`.
    public var platform: String?
    /// REPORT_ID as the evidence has it, authentic or not.
    public var reportID: FixedBytes<32>?
    /// CHIP_ID as the evidence has it, authentic or not.
    public var chipID: FixedBytes<64>?
    /// MEASUREMENT as the evidence has it, authentic or not.
    public var measurement: FixedBytes<48>?

    /// What a vendor publishes and nobody has here, or only an old one: with it the findings could be
    /// other ones. Empty where evidence is refused whatever a vendor says.
    public var missing: [EndorsementObject]

    /// Puts a result together.
    public init(
        findings: [Finding], claims: Claims? = nil, platform: String? = nil,
        reportID: FixedBytes<32>? = nil, chipID: FixedBytes<64>? = nil,
        measurement: FixedBytes<48>? = nil, missing: [EndorsementObject] = []
    ) {
        self.findings = findings
        self.claims = claims
        self.platform = platform
        self.reportID = reportID
        self.chipID = chipID
        self.measurement = measurement
        self.missing = missing
    }
}

/// Tells genuine evidence from the rest; judges nothing else.
public protocol EvidenceAuthenticator: Sendable {
    /// The kinds of evidence that it reads.
    var kinds: Set<EvidenceKind> { get }

    /// Authenticates evidence that has to be over `binding`, at `time` (seconds since 1970, UTC).
    ///
    /// - Throws: `ParseError` where the bytes are no evidence at all.
    func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication
}
