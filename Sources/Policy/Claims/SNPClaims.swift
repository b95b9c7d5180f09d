public import Bytes
public import Evidence

/// What an SNP report says, once signature, chain and binding were found good.
public struct SNPClaims: Sendable, Equatable {
    /// The processor line, by the root that the chain ends in.
    public let product: SNPProduct
    /// The kind of key that signed.
    public let signingKey: SNPSigningKey
    /// The launch digest.
    public let measurement: FixedBytes<48>
    /// What the host gave at launch.
    public let hostData: FixedBytes<32>
    /// What the guest's owner demanded at launch.
    public let guestPolicy: GuestPolicy
    /// How the platform is set up.
    public let platformInfo: PlatformInfo
    /// The privilege level that asked.
    public let vmpl: UInt32
    /// The firmware whose versions made the signing key.
    public let reportedTCB: TCBVersion
    /// The firmware that launched the guest.
    public let launchTCB: TCBVersion
    /// The firmware that runs now.
    public let currentTCB: TCBVersion
    /// The firmware that cannot be rolled back.
    public let committedTCB: TCBVersion
    /// The chip by CHIP_ID, or by its VCEK where the host hides CHIP_ID; nil with a VLEK on such a host.
    public let chipID: FixedBytes<64>?
    /// Who signed the ID block; zero without one.
    public let idKeyDigest: FixedBytes<48>
    /// Who signed the ID key; nil without an author key.
    public let authorKeyDigest: FixedBytes<48>?
    /// FAMILY_ID of the ID block; zero without one.
    public let familyID: FixedBytes<16>
    /// IMAGE_ID of the ID block; zero without one.
    public let imageID: FixedBytes<16>
    /// GUEST_SVN of the ID block; zero without one.
    public let guestSVN: UInt32
    /// Random for each launch.
    public let reportID: FixedBytes<32>
    /// REPORT_ID of the migration agent; all ones without one.
    public let reportIDMA: FixedBytes<32>

    /// What the firmware did against known attacks when it launched the guest; nil below version 5.
    public let launchMitigations: UInt64?
    /// What the firmware does against known attacks now; nil below version 5.
    public let currentMitigations: UInt64?
    /// The cloud provider that a VLEK was lent to (cspID); nil for a VCEK.
    public let providerID: String?
    /// Of the revocation list that the certificates were looked for on; nil where there was none.
    public let revocationList: EndorsementDates?

    /// Takes a report whose signature, chain and binding the caller has checked, and whose chain ends
    /// in the root of `product`.
    @_spi(Verified)
    public init(
        authenticated report: SNPReport, product: SNPProduct, endorsedChip: FixedBytes<64>? = nil,
        providerID: String? = nil, revocationList: EndorsementDates? = nil
    ) {
        self.product = product
        self.providerID = providerID
        self.revocationList = revocationList
        signingKey = report.signingKey
        measurement = report.measurement
        hostData = report.hostData
        guestPolicy = report.policy
        platformInfo = report.platformInfo
        vmpl = report.vmpl
        reportedTCB = TCBVersion(raw: report.reportedTCB, product: product)
        launchTCB = TCBVersion(raw: report.launchTCB, product: product)
        currentTCB = TCBVersion(raw: report.currentTCB, product: product)
        committedTCB = TCBVersion(raw: report.committedTCB, product: product)
        chipID = report.maskChipKey || report.chipID.isZero ? endorsedChip : report.chipID
        idKeyDigest = report.idKeyDigest
        authorKeyDigest = report.authorKeyEnabled ? report.authorKeyDigest : nil
        familyID = report.familyID
        imageID = report.imageID
        guestSVN = report.guestSVN
        reportID = report.reportID
        reportIDMA = report.reportIDMA
        launchMitigations = report.launchMitigations
        currentMitigations = report.currentMitigations
    }
}
