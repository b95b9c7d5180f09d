import Bytes
import Evidence
import Policy
import Verification

/// What evidence says once it was found authentic, in the order in which people read it.
struct AppraisedClaims {
    /// What one source says.
    struct Group {
        /// The member of `claims` in JSON.
        let name: String
        let members: [Claim]
    }

    let groups: [Group]
    /// Nil where no launch could have such evidence.
    let launchClass: LaunchClass?
    /// Why there is none.
    private let noClass: String
    private let anchor: (kind: ConfigAnchor, value: String)?
    private let noAnchor: String

    private init(
        _ groups: [Group], _ launchClass: LaunchClass?, noClass: String,
        anchor: (kind: ConfigAnchor, value: String)? = nil, noAnchor: String
    ) {
        self.groups = groups
        self.launchClass = launchClass
        self.noClass = noClass
        self.anchor = anchor
        self.noAnchor = noAnchor
    }

    private static let notAuthentic = "none: the evidence is not authentic"

    /// A processor's claims and what came beside them; nil unless all is authentic.
    static func hardware(_ claims: Claims?) -> AppraisedClaims {
        guard let claims else {
            return AppraisedClaims([], nil, noClass: notAuthentic, noAnchor: notAuthentic)
        }
        var groups: [Group] = []
        let value: String
        switch claims.hardware {
        case .snp(let snp):
            groups.append(Group(name: "snp", members: HardwareClaims.members(snp)))
            value = snp.hostData.hex
        case .tdx(let tdx):
            groups.append(Group(name: "tdx", members: HardwareClaims.members(tdx)))
            value = tdx.body.mrConfigID.hex
        }
        groups += beside(claims.tpm, claims.boot)
        return AppraisedClaims(
            groups, claims.launchClass, noClass: "",
            anchor: claims.configAnchor.map { ($0, value) },
            noAnchor: claims.tpm?.keyTrust == .paravisor
                ? "none: the field is the paravisor's" : "none: the field is zero")
    }

    /// A TPM's claims by themselves, with a log.
    static func tpm(_ claims: TPMClaims?, boot: BootFacts?) -> AppraisedClaims {
        AppraisedClaims(
            beside(claims, boot), claims?.keyTrust.launchClass, noClass: notAuthentic,
            noAnchor: claims == nil ? notAuthentic : "none: no processor speaks")
    }

    /// What a log proves.
    static func log(_ facts: BootFacts?) -> AppraisedClaims {
        AppraisedClaims(beside(nil, facts), nil, noClass: logAlone, noAnchor: logAlone)
    }

    /// How much of an IMA log counts.
    static func measurements(_ result: IMAResult) -> AppraisedClaims {
        let members = [
            Claim("entries", "entries", .number(UInt64(result.entryCount))),
            Claim(
                "quoted_entries", "vouched for",
                result.quotedCount.map { .number(UInt64($0)) } ?? .none),
        ]
        return AppraisedClaims(
            [Group(name: "ima", members: members)], nil, noClass: logAlone, noAnchor: logAlone)
    }

    private static let logAlone = "none: a log is worth what vouches for its registers"

    private static func beside(_ tpm: TPMClaims?, _ boot: BootFacts?) -> [Group] {
        (tpm.map { [Group(name: "tpm", members: TPMClaimMembers.members($0))] } ?? [])
            + (boot.map { [Group(name: "boot", members: BootClaims.members($0))] } ?? [])
    }

    /// What every result shows: launch class and config anchor.
    var standing: [Claim] { [launchClassMember, configAnchorMember] }

    var launchClassMember: Claim {
        Claim(
            "launch_class", "launch class", launchClass.map { .text($0.rawValue) } ?? .none,
            launchClass?.rawValue ?? noClass)
    }

    var configAnchorMember: Claim {
        guard let anchor else { return Claim("config_anchor", "config anchor", .none, noAnchor) }
        return Claim(
            "config_anchor", "config anchor",
            .object([
                Claim("kind", nil, .text(anchor.kind.rawValue)),
                Claim("value", nil, .text(anchor.value)),
            ]), "\(anchor.kind.rawValue) \(anchor.value)")
    }
}
