import Bytes
import Evidence

/// One evaluation: the rules beside what they look at.
struct Appraisal {
    let rules: PolicyRules
    let claims: Claims
    let context: LaunchContext

    /// After its first release a REPORT_ID is good for this long, in seconds.
    static let releaseWindow: Int64 = 600

    /// The finding of one check; the switch is exhaustive, so no check can be forgotten.
    func finding(_ check: Check) -> Finding {
        switch check {
        case .identity:
            Finding(check, holds: true, expected: "an enrolled VM", actual: context.vm)
        case .vmState:
            Finding(
                check, holds: context.vmIsEnabled, expected: "enabled",
                actual: context.vmIsEnabled ? "enabled" : "disabled")
        case .configDigest:
            Finding(
                check, holds: context.configDigest == context.enrolledConfigDigest,
                expected: context.enrolledConfigDigest.hex, actual: context.configDigest.hex)
        case .configAnchor: configAnchor()
        case .launchClass:
            Finding(
                check, holds: claims.launchClass >= rules.lowestClass,
                expected: "\(rules.lowestClass.rawValue) or better",
                actual: claims.launchClass.rawValue)
        case .debug: forbidden(check, rules.allowsDebug, claims.guestPolicy.allowsDebug)
        case .migration:
            forbidden(check, rules.allowsMigration, claims.guestPolicy.allowsMigration)
        case .guestPolicy: bits(check, rules.guestPolicy, claims.guestPolicy.value)
        case .guestABI: guestABI()
        case .platform: bits(check, rules.platform, claims.platformInfo.value)
        case .vmpl:
            Finding(
                check, holds: claims.vmpl == UInt32(rules.vmpl), expected: "\(rules.vmpl)",
                actual: "\(claims.vmpl)")
        case .signingKey: signingKey()
        case .idKey: key(check, rules.idKeyDigests, claims.idKeyDigest)
        case .authorKey: key(check, rules.authorKeyDigests, claims.authorKeyDigest)
        case .chip: chip()
        case .minimumTCB: tcb(check, claims.reportedTCB)
        case .launchTCB: tcb(check, claims.launchTCB)
        case .measurement: measurement()
        case .diskHeader: diskHeader()
        case .reportID: reportID()
        }
    }
}
