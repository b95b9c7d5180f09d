import AdminAPI
import Authenticators
import Bytes
import Endorsements
import Evidence
import Linux
import Policy
import Protocol
import Store
import Verification

/// One report of a running VM between evidence and verdict.
struct RuntimeJudge: Sendable {
    let launch: Launch
    let time: Int64
    /// Nanoseconds of the monotonic clock when the evidence came.
    let start: UInt64
    let statement: RuntimeStatement
    let attestationKeyName: [UInt8]
    let authentication: Authentication
    /// What becomes of the endorsements that are missing.
    let supply: EndorsementDesk.Reply

    /// What to look up in the store.
    var question: ReportQuestion {
        ReportQuestion(
            vm: launch.hello.vm.description, reportID: authentication.claims?.snp?.reportID)
    }

    /// What the evidence and the broker's records say before there is a log.
    struct Groundwork {
        var findings: [Finding]
        /// Whether the report says anything of the VM that it names. Anybody can have genuine evidence, and
        /// the host chooses the field that anchors a configuration.
        var isTheVMs: Bool
        /// Whether the policy's own rules hold.
        var satisfiesPolicy = false
    }

    func groundwork(_ facts: RuntimeFacts, _ policy: AppraisalPolicy?) -> Groundwork {
        let authentic = authentication.findings + supply.findings(of: authentication.missing)
        guard let claims = authentication.claims else {
            return Groundwork(findings: authentic, isTheVMs: false)
        }
        guard let vm = facts.vm else {
            let unknown = AppraisalPolicy.findings(forUnknownVM: question.vm)
            return Groundwork(
                findings: authentic + unknown.filter { $0.check == Check.identity.rawValue },
                isTheVMs: false)
        }
        guard let policy else {
            let unusable = LaunchJudge.policyUnusable(vm.policy)
            return Groundwork(findings: authentic + [unusable], isTheVMs: false)
        }
        let judged = policy.evaluateRuntime(
            claims, in: RuntimeContext(vm: vm.id, enrolledConfigDigest: vm.configDigest), at: time)
        let isAnchored = judged.contains {
            $0.check == Check.configAnchor.rawValue && $0.outcome == .ok
        }
        let satisfies = !judged.contains { $0.outcome == .refused }
        let launch = claims.snp == nil ? nil : facts.launch
        return Groundwork(
            findings: authentic + judged + [sameLaunch(claims, facts, vm)],
            // A guest of the owner's own measurements reports only once its disk is open.
            isTheVMs: isAnchored && (launch.map { $0.vm == vm.id } ?? satisfies),
            satisfiesPolicy: satisfies)
    }

    /// What the report is, as verifiers want it.
    func report(_ findings: [Finding] = []) -> RuntimeReport {
        RuntimeReport(
            statement: statement, findings: findings, claims: authentication.claims,
            attestationKeyName: attestationKeyName, servedCertificate: nil)
    }

    /// Whether other endorsements could make findings good that refuse, so that the VM had better come back.
    func mayTurn(_ findings: [Finding]) -> Bool {
        let refused = findings.filter { $0.outcome == .refused }.map(\.check)
        return supply.retryAfter != nil && !authentication.missing.isEmpty && !refused.isEmpty
            && refused.allSatisfy(LaunchJudge.ofEndorsements.contains)
    }

    /// The decision on a report that says nothing of the VM that it names.
    func refusal(_ facts: RuntimeFacts, _ groundwork: Groundwork) -> ReportDecision {
        ReportDecision(entry: entry(.refused, groundwork.findings, facts))
    }

    /// The decision on a report of the VM's own, its log included.
    func decision(
        _ facts: RuntimeFacts, _ groundwork: Groundwork, against reference: RuntimeReference,
        log: inout RuntimeLog?
    ) -> ReportDecision {
        var next = facts.runtime
        var events: [EventEntry] = []
        let report = report(groundwork.findings)
        if let ticket = next.ticket, let launch = facts.launch, isAnother(report.boot, next.boot),
            !groundwork.findings.contains(where: { $0.outcome == .refused }),
            (ticket.created...ticket.expires).contains(launch.released),
            launch.vm == facts.vm?.id
        {
            next.boot = BootRecord(report.boot)
            next.ticket = nil
            let seen = LaunchReference(number: launch.number)
            events.append(EventEntry("reboot seen", "\(seen), expected for: \(ticket.reason)"))
        }
        var verifier = RuntimeVerifier(reference)
        verifier.expectedBoot = next.boot.map { RuntimeBoot($0) }
        verifier.isUnderMaintenance = next.window.map { $0.expires > time } ?? false
        let result = verifier.verify(report, log: &log)
        let isRefused =
            !groundwork.satisfiesPolicy || result.findings.contains { $0.outcome == .refused }
        let isLookedUp =
            result.isHeldToSnapshot
            || verifier.isUnderMaintenance && reference.snapshot?.files != nil
        let verdict: ReportVerdict =
            if isRefused || reference.snapshot != nil && !result.isTrusted {
                .failed
            } else {
                isLookedUp && !result.isKeySelfMade ? .trusted : .notVerified
            }
        var entry = entry(verdict, result.findings, facts)
        entry.entries = result.entryCount
        entry.quotedEntries = result.quotedCount
        entry.problems = FindingsText.encode(result.problems)
        switch verdict {
        case .failed:
            next.state = .failed
            next.failedChecks = entry.refusedChecks
        // Once failed, a VM stays so until somebody has looked at it.
        case .trusted where next.state != .failed: next.state = .trusted
        case .notVerified where next.state != .failed: next.state = .neverVerified
        case .trusted, .notVerified, .refused: break
        }
        return ReportDecision(entry: entry, runtime: next, events: events)
    }

    /// Whether it is another boot than the expected one, of which as much is known: a report that leaves out its
    /// quote spends no ticket, and does not make the next ones pass without counters.
    private func isAnother(_ boot: RuntimeBoot, _ expected: BootRecord?) -> Bool {
        let now = BootRecord(boot)
        guard let expected, now != expected else { return false }
        return (expected.reportID == nil || now.reportID != nil)
            && (expected.resetCount == nil || now.resetCount != nil)
            && (expected.restartCount == nil || now.restartCount != nil)
    }

    private func entry(
        _ verdict: ReportVerdict, _ findings: [Finding], _ facts: RuntimeFacts
    ) -> ReportEntry {
        ReportEntry(
            vm: question.vm, time: time, from: launch.peer, platform: authentication.platform,
            verdict: verdict,
            refusedChecks: findings.filter { $0.outcome == .refused }.map(\.check),
            tookMicroseconds: Int64((Clock.monotonicNanoseconds - start) / 1000),
            policyIdentity: facts.policy?.identity, boot: BootRecord(report().boot),
            snapshot: facts.runtime.snapshot?.digest, findings: FindingsText.encode(findings))
    }

    private func sameLaunch(
        _ claims: Claims, _ facts: RuntimeFacts, _ vm: EnrolledVM
    ) -> Finding {
        let expected = "a launch of \(vm.id) whose unlocking was proved"
        guard let reportID = claims.snp?.reportID else {
            return Finding(
                check: "same launch", outcome: .notChecked, expected: expected, actual: "-",
                note: "the platform has no REPORT_ID")
        }
        let actual =
            switch facts.launch {
            case nil: "REPORT_ID \(reportID.hex), which has none"
            case let launch? where launch.vm != vm.id: "a launch of another VM"
            case let launch?: "\(LaunchReference(number: launch.number))"
            }
        return Finding(
            check: "same launch", outcome: facts.launch?.vm == vm.id ? .ok : .refused,
            expected: expected, actual: actual)
    }
}

extension BootRecord {
    init(_ boot: RuntimeBoot) {
        self.init(
            reportID: boot.reportID?.hex, resetCount: boot.resetCount,
            restartCount: boot.restartCount)
    }
}

extension RuntimeBoot {
    init(_ record: BootRecord) {
        self.init(
            reportID: record.reportID.flatMap { FixedBytes(hex: $0) },
            resetCount: record.resetCount, restartCount: record.restartCount)
    }
}
