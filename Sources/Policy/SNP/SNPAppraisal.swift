import Bytes
import Evidence

/// The rules that only an SNP report can be held to.
struct SNPAppraisal {
    let rules: PolicyRules
    let claims: SNPClaims
    let context: LaunchContext?

    /// The finding of a check that concerns SNP.
    func finding(_ check: Check) -> Finding {
        switch check {
        case .guestPolicy: bits(check, rules.guestPolicy, claims.guestPolicy.value)
        case .guestABI: guestABI()
        case .platform: bits(check, rules.platform, claims.platformInfo.value)
        case .vmpl:
            Finding(
                check, holds: claims.vmpl == UInt32(rules.vmpl), expected: "\(rules.vmpl)",
                actual: "\(claims.vmpl)")
        case .signingKey: signingKey()
        case .provider: provider()
        case .idKey: key(check, rules.idKeyDigests, claims.idKeyDigest)
        case .authorKey: key(check, rules.authorKeyDigests, claims.authorKeyDigest)
        case .chip: chip()
        case .minimumTCB: tcb(check, claims.reportedTCB)
        case .launchTCB: tcb(check, claims.launchTCB)
        case .mitigations: mitigations()
        case .reportID: reportID()
        default: Finding(check, holds: false, expected: "a rule of SNP", actual: "none")
        }
    }

    /// A VLEK belongs to a whole provider, so a policy may say to which.
    private func provider() -> Finding {
        let actual = claims.providerID ?? "none, the key is a chip's own"
        guard !rules.providers.isEmpty else { return Finding(unset: .provider, actual: actual) }
        let holds = claims.providerID.map(rules.providers.contains) ?? (claims.signingKey != .vlek)
        return Finding(
            .provider, holds: holds,
            expected: rules.providers.sorted().joined(separator: " or ")
                + ", where a VLEK signed", actual: actual)
    }

    /// Every bit that the policy names has to be set in both vectors: what was open at launch may have
    /// been used then.
    private func mitigations() -> Finding {
        func text(_ vector: UInt64?) -> String {
            vector.map { "0x" + String($0, radix: 16) } ?? "not reported"
        }
        let actual =
            "\(text(claims.launchMitigations)) at launch, \(text(claims.currentMitigations)) now"
        guard let wanted = rules.mitigations else {
            return Finding(unset: .mitigations, actual: actual)
        }
        let vectors = [claims.launchMitigations, claims.currentMitigations]
        return Finding(
            .mitigations, holds: vectors.allSatisfy { ($0 ?? 0) & wanted == wanted },
            expected: "the bits \(text(wanted)), at launch and now", actual: actual)
    }
}
