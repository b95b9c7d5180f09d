import Bytes
import Evidence

/// One evaluation: the rules beside what they look at.
struct Appraisal {
    let rules: PolicyRules
    let claims: Claims
    /// The launch that the evidence is for; nil where evidence is looked at by itself.
    let context: LaunchContext?
    /// The judge's own clock, Unix seconds.
    let time: Int64

    /// The finding of one check that concerns the claims; the switches are exhaustive, so no check can
    /// be forgotten.
    func finding(_ check: Check) -> Finding {
        switch check.concern {
        case .evidence: evidenceFinding(check)
        case .launch:
            if let context { launchFinding(check, context) } else { .withoutLaunch(check) }
        case .snp:
            if let snp = claims.snp {
                SNPAppraisal(rules: rules, claims: snp, context: context).finding(check)
            } else {
                missing(check, "an SNP report")
            }
        case .tdx:
            if let tdx = claims.tdx {
                TDXAppraisal(rules: rules.tdx, claims: tdx, time: time).finding(check)
            } else {
                missing(check, "a TDX quote")
            }
        case .tpm: TPMAppraisal(rules: rules.tpm, claims: claims.tpm).finding(check)
        case .boot: BootAppraisal(rules: rules.boot, facts: claims.boot).finding(check)
        case .repeatable: context == nil ? .withoutLaunch(check) : handOver()
        }
    }

    private func evidenceFinding(_ check: Check) -> Finding {
        switch check {
        case .launchClass:
            Finding(
                check, holds: launchClass >= rules.lowestClass,
                expected: "\(rules.lowestClass.rawValue) or better", actual: launchClass.rawValue)
        case .debug: forbidden(check, rules.allowsDebug, claims.hardware.allowsDebug)
        case .migration: forbidden(check, rules.allowsMigration, claims.hardware.allowsMigration)
        case .measurement: measurement()
        case .endorsementAge: endorsementAge()
        default: missing(check, "a rule")
        }
    }

    /// A check that was put to the wrong evidence refuses.
    private func missing(_ check: Check, _ expected: String) -> Finding {
        Finding(check, holds: false, expected: expected, actual: "none")
    }

    /// Something the host could do to the guest, and must not unless the policy says otherwise.
    private func forbidden(_ check: Check, _ isAllowed: Bool, _ isOn: Bool) -> Finding {
        Finding(
            check, holds: isAllowed || !isOn, expected: isAllowed ? "off or on" : "off",
            actual: isOn ? "on" : "off", note: isAllowed ? "the policy allows it" : nil)
    }
}

extension Claims.Hardware {
    var allowsDebug: Bool {
        switch self {
        case .snp(let claims): claims.guestPolicy.allowsDebug
        case .tdx(let claims): claims.body.tdAttributes.isUntrusted
        }
    }

    var allowsMigration: Bool {
        switch self {
        case .snp(let claims): claims.guestPolicy.allowsMigration
        case .tdx(let claims):
            // MIGRATABLE, and the measurement of whoever would carry the TD away.
            claims.body.tdAttributes.allowsMigration
                || claims.body.mrServiceTD.map { !$0.isZero } ?? false
        }
    }
}
