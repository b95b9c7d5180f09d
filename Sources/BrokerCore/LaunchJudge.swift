import AdminAPI
import Authenticators
import Bytes
import Endorsements
import Policy
import Protocol
import Store

/// One launch between evidence and decision.
struct LaunchJudge: Sendable {
    let launchID: FixedBytes<16>
    let hello: Hello
    let binding: FixedBytes<64>
    let peer: String
    let time: Int64
    let authentication: Authentication
    /// What becomes of the endorsements that are missing.
    let supply: EndorsementDesk.Reply

    /// Everything that was checked, and whether it adds up to a release.
    struct Judgement {
        var findings: [Finding]
        var releases: Bool
        /// Whether other endorsements could make it a release.
        var mayTurn = false
        var launchClass: LaunchClass?
        /// Nil where the processor does not vouch for the configuration.
        var anchor: ConfigAnchor?
    }

    /// The ledger's entry for a decision on `facts`.
    func entry(
        for facts: LaunchFacts, policy: AppraisalPolicy?, tookMicroseconds: Int64
    ) -> LaunchEntry {
        let judgement = judge(facts, policy)
        let holds = judgement.mayTurn && !judgement.releases && supply.retryAfter != nil
        return LaunchEntry(
            launchID: launchID, vm: hello.vm.description, time: time, from: peer,
            platform: authentication.platform,
            decision: judgement.releases ? .released : holds ? .held : .refused,
            refusedChecks: judgement.findings.filter { $0.outcome == .refused }.map(\.check),
            tookMicroseconds: tookMicroseconds,
            policy: authentication.claims == nil ? nil : facts.policy?.name,
            policyIdentity: authentication.claims == nil ? nil : facts.policy?.identity,
            reportID: authentication.reportID, chipID: authentication.chipID,
            measurement: authentication.measurement, launchClass: judgement.launchClass,
            anchor: judgement.anchor, binding: binding,
            findings: FindingsText.encode(judgement.findings))
    }

    private func judge(_ facts: LaunchFacts, _ policy: AppraisalPolicy?) -> Judgement {
        let authentic = authentication.findings + supply.findings(of: authentication.missing)
        let isWaiting = !authentication.missing.isEmpty
        guard let claims = authentication.claims else {
            return Judgement(
                findings: authentic + [Self.policyNotAsked], releases: false, mayTurn: isWaiting)
        }
        guard let vm = facts.vm else {
            let unknown = AppraisalPolicy.findings(forUnknownVM: hello.vm.description)
            return Judgement(findings: authentic + unknown, releases: false)
        }
        guard let policy else {
            return Judgement(
                findings: authentic + [Self.policyUnusable(vm.policy)], releases: false)
        }
        let context = LaunchContext(
            vm: vm.id, vmIsEnabled: vm.state == .enabled,
            runtimeHasFailed: facts.runtimeHasFailed,
            configDigest: hello.configDigest,
            enrolledConfigDigest: vm.configDigest, headerDigest: hello.headerDigest,
            enrolledHeaderDigests: [vm.headerDigest], reportIDHistory: .init(facts.history),
            now: time)
        let judged = policy.evaluate(claims, in: context)
        let own = [purpose, keyName(vm)]
        let findings = authentic + judged + own
        let refused = findings.filter { $0.outcome == .refused }.map(\.check)
        let isOnce = authentication.reportID != nil || judged.holds(.handOver)
        return Judgement(
            findings: findings,
            releases: Check.permitRelease(judged, checks: policy.checks(for: claims))
                && refused.isEmpty && isOnce,
            mayTurn: isWaiting && refused.allSatisfy(Self.ofEndorsements.contains),
            launchClass: policy.launchClass(of: claims),
            anchor: judged.holds(.configAnchor) ? policy.rules.anchor : nil)
    }

    /// The checks of authentic evidence that newer endorsements could turn.
    static let ofEndorsements: Set<String> = [
        Authentication.endorsementsCheck, Check.endorsementAge.rawValue, Check.tcbStatus.rawValue,
    ]

    private var purpose: Finding {
        Finding(
            check: "purpose", outcome: hello.purpose == .launch ? .ok : .refused,
            expected: "launch", actual: hello.purpose == .launch ? "launch" : "runtime")
    }

    private func keyName(_ vm: EnrolledVM) -> Finding {
        Finding(
            check: "key name", outcome: hello.keyName.description == vm.keyName ? .ok : .refused,
            expected: vm.keyName, actual: hello.keyName.description)
    }

    private static let policyNotAsked = Finding(
        check: "policy", outcome: .notChecked, expected: "authentic evidence",
        actual: "none", note: "nothing in evidence that is not authentic can be compared")

    static func policyUnusable(_ name: String) -> Finding {
        Finding(
            check: "policy", outcome: .refused, expected: "policy \(name), usable by this version",
            actual: "it cannot be read", note: "store the policy again")
    }
}

extension EndorsementDesk.Reply {
    /// What was ordered, each with what becomes of it. They refuse nothing: other findings do, where
    /// what is missing was needed.
    func findings(of missing: [EndorsementObject]) -> [Finding] {
        missing.compactMap { object in
            guard let fate = notes[object] else { return nil }
            let back = retryAfter.map { "; the VM comes back in \($0) s" } ?? ""
            return Finding(
                check: "supply", outcome: .notChecked, expected: object.title, actual: fate,
                note: "\(object.title): \(fate)\(back)")
        }
    }
}

extension [Finding] {
    fileprivate func holds(_ check: Check) -> Bool {
        contains { $0.check == check.rawValue && $0.outcome == .ok }
    }
}

extension LaunchContext.ReportIDHistory {
    init(_ history: ReportHistory) {
        switch history {
        case .never: self = .never
        case .released(let first, let unlocked): self = .releasedAt(first, unlocked: unlocked)
        }
    }
}
