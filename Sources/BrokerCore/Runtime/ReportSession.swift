import AdminAPI
import Dispatch
public import Protocol
import Store
import Synchronization
import Verification

/// What a connection has to do with a report.
public enum ReportStep: Sendable {
    /// Ask for the log from byte `offset` on, and give the session all that comes.
    case log(offset: UInt64, ReportSession)
    /// The report is in the ledger, and it holds or there is nothing to hold it against.
    case accept(LaunchReference)
    /// Say no.
    case refuse(Refused.Code, LaunchReference)
    /// Say not yet.
    case hold(seconds: UInt16, LaunchReference)
}

/// A report of which the log is coming in. Holds no connection.
public final class ReportSession: Sendable {
    /// The most bytes of a log that are taken in one connection.
    public static let maximumLogCount = 512 << 20

    let judge: RuntimeJudge
    let key: RuntimeReferences.Key
    let reference: RuntimeReference
    let queue: DispatchQueue
    private let authority: RuntimeAuthority
    let taken: ReportPlaces.Place
    private let log: Mutex<RuntimeLog?>
    private let count = Atomic<Int>(0)

    init(
        _ judge: RuntimeJudge, _ key: RuntimeReferences.Key, _ reference: RuntimeReference,
        _ log: RuntimeLog?, at taken: ReportPlaces.Place, on queue: DispatchQueue,
        of authority: RuntimeAuthority
    ) {
        self.judge = judge
        self.key = key
        self.reference = reference
        self.queue = queue
        self.authority = authority
        self.taken = taken
        self.log = Mutex(log)
    }

    /// Takes the next bytes; `done` is called on a thread of the broker's once they were hashed, with false where
    /// there were too many.
    public func append(_ part: [UInt8], done: @escaping @Sendable (Bool) -> Void) {
        let (_, count) = count.wrappingAdd(part.count, ordering: .relaxed)
        guard count <= Self.maximumLogCount else {
            taken.leave()
            return done(false)
        }
        queue.async {
            self.log.withLock { $0?.append(part[...]) }
            done(true)
        }
    }

    /// Judges the report, once all of the log has come.
    public func finish(_ done: @escaping @Sendable (ReportStep) -> Void) {
        queue.async { self.authority.conclude(self, done: done) }
    }

    /// The decision on `facts`; nil where they are other ones than the log was read for, or where the VM had
    /// better come back.
    func decision(
        _ facts: RuntimeFacts, _ groundwork: RuntimeJudge.Groundwork
    ) -> ReportDecision? {
        guard groundwork.isTheVMs else { return judge.refusal(facts, groundwork) }
        guard facts.runtime.snapshot?.digest == key.snapshot,
            facts.policy?.identity == key.policy, !judge.mayTurn(groundwork.findings)
        else { return nil }
        return log.withLock {
            judge.decision(facts, groundwork, against: reference, log: &$0)
        }
    }

    /// The log as far as it was read.
    var place: RuntimeLog? { log.withLock { $0 } }
}
