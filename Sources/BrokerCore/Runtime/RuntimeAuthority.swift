import AdminAPI
public import Authenticators
public import Bytes
import Dispatch
public import Endorsements
import Evidence
public import Linux
public import Logging
public import Policy
public import Protocol
public import Store
import Synchronization
import Verification

/// Judges what running VMs report, beside the ``LaunchAuthority`` that judged their launches.
///
/// Everything that takes long runs on a few threads of its own. A verdict, the VM's new state and a ticket that is
/// spent are one transaction of the store.
public final class RuntimeAuthority: Sendable {
    /// After how many seconds to come back where something changed while a report came in.
    private static let retrySeconds: UInt16 = 5
    /// After how many seconds a VM that reports too often may come back.
    private static let pauseSeconds: UInt16 = 60

    private let store: any BrokerStore
    private let authenticator: any EvidenceAuthenticator
    private let desk: EndorsementDesk?
    private let readPolicy: @Sendable (String) -> AppraisalPolicy?
    private let references: RuntimeReferences
    private let threads: ReportThreads
    private let strangers: MinuteBudget
    /// By VM: what it may say of itself in a minute.
    private let reports: MinuteBudget
    private let places = ReportPlaces()
    private let statistics: LaunchStatistics
    private let log: Logger
    private let clock: @Sendable () -> Int64

    /// Combines the parts.
    ///
    /// - Parameters:
    ///   - desk: where missing endorsements are ordered; with none, nothing is held for them.
    ///   - readPolicy: makes a policy of its TOML text, nil where this version cannot use it.
    ///   - strangerRows: ledger rows a minute for reports that say nothing of the VM that they name: for one
    ///     address, and for all.
    ///   - reportsPerMinute: reports that one VM may make in a minute; whoever is root in it chooses what they
    ///     cost.
    ///   - clock: seconds since 1970, UTC.
    public init(
        store: any BrokerStore, authenticator: any EvidenceAuthenticator,
        desk: EndorsementDesk? = nil,
        readPolicy: @escaping @Sendable (String) -> AppraisalPolicy?, snapshots: SnapshotFiles,
        threads: Int = 2, strangerRows: (perAddress: Int, total: Int) = (10, 60),
        reportsPerMinute: Int = 30, statistics: LaunchStatistics, log: Logger,
        clock: @escaping @Sendable () -> Int64 = { Clock.realtime }
    ) {
        self.store = store
        self.authenticator = authenticator
        self.desk = desk
        self.readPolicy = readPolicy
        references = RuntimeReferences(snapshots)
        self.threads = ReportThreads(count: threads)
        strangers = MinuteBudget(each: strangerRows.perAddress, total: strangerRows.total)
        reports = MinuteBudget(each: reportsPerMinute, total: .max)
        self.statistics = statistics
        self.log = log
        self.clock = clock
    }

    /// Authenticates evidence of purpose runtime, whose statement HELLO names by its digest; `done` is called
    /// once, on a thread of the broker's.
    public func appraise(
        _ evidence: EvidenceMessage, of launch: Launch, binding: FixedBytes<64>,
        done: @escaping @Sendable (ReportStep) -> Void
    ) {
        let start = Clock.monotonicNanoseconds
        let queue = threads.next()
        queue.async {
            do throws(ParseError) {
                let judge = try self.judge(evidence, launch, binding, start)
                self.begin(judge, on: queue, done)
            } catch {
                self.statistics.count(.malformed)
                self.log.info(
                    "report refused", metadata: ["peer": "\(launch.peer)", "reason": "\(error)"])
                done(.refuse(.malformed, LaunchAuthority.anonymousReference(launch.id)))
            }
        }
    }

    private func judge(
        _ evidence: EvidenceMessage, _ launch: Launch, _ binding: FixedBytes<64>, _ start: UInt64
    ) throws(ParseError) -> RuntimeJudge {
        let time = clock()
        let statement = try RuntimeStatement(parsing: evidence.data(.statement) ?? [])
        guard statement.vm ?? launch.hello.vm.description == launch.hello.vm.description else {
            throw .invalid(field: "statement.vm", rule: "expected HELLO's \(launch.hello.vm)")
        }
        let authentication = try authenticator.authenticate(evidence, binding: binding, at: time)
        let supply =
            desk?.request(authentication.missing, for: launch.peer)
            ?? EndorsementDesk.Reply(retryAfter: nil, notes: [:])
        return RuntimeJudge(
            launch: launch, time: time, start: start, statement: statement,
            attestationKeyName: evidence.attestationKeyName, authentication: authentication,
            supply: supply)
    }

    private func begin(
        _ judge: RuntimeJudge, on queue: DispatchQueue,
        _ done: @escaping @Sendable (ReportStep) -> Void
    ) {
        guard judge.authentication.claims != nil else {
            if judge.supply.retryAfter == nil { statistics.count(.unauthentic) }
            return turnAway(judge, done)
        }
        store.runtimeFacts(judge.question) { result in
            switch result {
            case .success(let facts):
                queue.async { self.prepare(judge, facts, on: queue, done) }
            case .failure(let error): done(self.unavailable(judge, error))
            }
        }
    }

    /// Looks for what the VM is held against, and for how much of its log is known.
    private func prepare(
        _ judge: RuntimeJudge, _ facts: RuntimeFacts, on queue: DispatchQueue,
        _ done: @escaping @Sendable (ReportStep) -> Void
    ) {
        let policy = facts.policy.flatMap(self.policy)
        let groundwork = judge.groundwork(facts, policy)
        guard groundwork.isTheVMs, let policy, let identity = facts.policy?.identity else {
            return turnAway(judge, done)
        }
        guard reports.take(judge.question.vm, at: judge.time) else {
            return done(.hold(seconds: Self.pauseSeconds, anonymous(judge)))
        }
        guard let taken = places.take(judge.question.vm) else {
            return done(.hold(seconds: Self.retrySeconds, anonymous(judge)))
        }
        let key = RuntimeReferences.Key(
            vm: judge.question.vm, snapshot: facts.runtime.snapshot?.digest, policy: identity)
        do {
            let reference = try references.reference(key, policy.rules.runtime ?? RuntimeRules())
            let report = judge.report(groundwork.findings)
            let place = references.log(key, of: report, against: reference)
            let session = ReportSession(
                judge, key, reference, place, at: taken, on: queue, of: self)
            guard let place else { return conclude(session, done: done) }
            done(.log(offset: place.byteCount, session))
        } catch {
            taken.leave()
            done(unavailable(judge, error))
        }
    }

    /// Records a report that says nothing of the VM that it names, as long as there is room for such.
    private func turnAway(_ judge: RuntimeJudge, _ done: @escaping @Sendable (ReportStep) -> Void) {
        if let seconds = judge.supply.retryAfter {
            return done(.hold(seconds: UInt16(clamping: seconds), anonymous(judge)))
        }
        guard strangers.take(judge.launch.peer, at: judge.time) else {
            statistics.countUnrecorded()
            return done(.refuse(.refused, anonymous(judge)))
        }
        store.report(judge.question) { facts in
            judge.refusal(facts, judge.groundwork(facts, facts.policy.flatMap(self.policy)))
        } done: { result in
            done(self.step(judge, result))
        }
    }

    /// Judges a report whose log has come.
    func conclude(_ session: ReportSession, done: @escaping @Sendable (ReportStep) -> Void) {
        let judge = session.judge
        store.report(judge.question) { facts in
            session.decision(
                facts, judge.groundwork(facts, facts.policy.flatMap(self.policy)))
        } done: { result in
            // A log that did not lead to its quote is read from its start again.
            if case .success((_, let decision)?) = result, decision.entry.quotedEntries != nil,
                let place = session.place
            {
                self.references.keep(place, session.key, against: session.reference)
            }
            session.taken.leave()
            done(self.step(judge, result))
        }
    }

    private func step(
        _ judge: RuntimeJudge, _ result: Result<(Int64, ReportDecision)?, StoreError>
    ) -> ReportStep {
        switch result {
        case .failure(let error): return unavailable(judge, error)
        case .success(nil):
            let seconds = judge.supply.retryAfter.map { UInt16(clamping: $0) }
            return .hold(seconds: seconds ?? Self.retrySeconds, anonymous(judge))
        case .success((let number, let decision)?):
            let entry = decision.entry
            let reference = LaunchReference(report: number)
            statistics.count(entry.verdict)
            log.info(
                "report",
                metadata: [
                    "reference": "\(reference)", "vm": "\(entry.vm)", "peer": "\(entry.from)",
                    "verdict": "\(entry.verdict.rawValue)",
                    "refused": "\(entry.refusedChecks.joined(separator: ","))",
                    "entries": "\(entry.entries.map(String.init) ?? "")",
                    "microseconds": "\(entry.tookMicroseconds)",
                ])
            switch entry.verdict {
            case .trusted, .notVerified: return .accept(reference)
            case .failed, .refused: return .refuse(.refused, reference)
            }
        }
    }

    private func unavailable(_ judge: RuntimeJudge, _ error: any Error) -> ReportStep {
        statistics.count(.unavailable)
        log.error(
            "report not judged",
            metadata: ["vm": "\(judge.question.vm)", "reason": "\(error)"])
        return .refuse(.busy, anonymous(judge))
    }

    private func anonymous(_ judge: RuntimeJudge) -> LaunchReference {
        LaunchAuthority.anonymousReference(judge.launch.id)
    }

    private func policy(_ stored: StoredPolicy) -> AppraisalPolicy? { readPolicy(stored.toml) }
}
