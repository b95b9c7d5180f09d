public import BrokerLink
import Bytes
public import Linux
import Protocol
import Synchronization

/// Tells the broker what this VM is, again and again, by connections of its own making: docs/runtime.md,
/// "Evidence for the broker".
public final class BrokerReporter: Sendable {
    /// A line for the journal: one for each report.
    public typealias Journal = @Sendable (_ line: String) -> Void
    /// Waits that many seconds; false when the reporter is to end.
    public typealias Sleep = @Sendable (_ seconds: Double) -> Bool

    let evidence: RuntimeEvidence
    private let interval: Double
    private let patience: Int
    private let configPath: String
    private let outcomePath: String
    let journal: Journal
    private let isStopped = Mutex(false)

    /// - Parameters:
    ///   - interval: from one report to the next, in seconds.
    ///   - patience: how long brokers are tried for one report, in seconds.
    ///   - config: the attested gate.conf.
    ///   - outcome: a proof of unlock that no broker has heard of yet.
    public init(
        _ evidence: RuntimeEvidence, interval: Double, patience: Int = 60,
        config: String = HandOver.config,
        outcome: String = HandOver.outcome, journal: @escaping Journal
    ) {
        self.evidence = evidence
        self.interval = interval
        self.patience = patience
        configPath = config
        outcomePath = outcome
        self.journal = journal
    }

    /// Reports on a thread of its own from now on.
    public func start() throws(SystemError) {
        try WorkerThread.start(name: "reporter") { [self] in
            run { [self] seconds in pause(seconds) }
        }
    }

    /// Lets the thread end before its next report.
    public func stop() {
        isStopped.withLock { $0 = true }
    }

    /// Reports until `sleep` says to end.
    func run(sleep: Sleep) {
        var schedule = ReportSchedule(interval: interval)
        while true {
            let random = Double(Random.bytes(1)[0]) / 256
            guard sleep(schedule.pause(after: report(), random: random)) else { return }
        }
    }

    /// Makes one report, and says how it ended in a line.
    public func report() -> ReportSchedule.Ending {
        do throws(ReportError) {
            guard let attested = try configuration() else {
                journal("no report: this machine was not booted by the gate (no \(configPath))")
                return .answered
            }
            let delivery = Delivery(attested: attested, patience: patience)
            try deliverOutcome(delivery)
            return try report(delivery)
        } catch {
            journal("no report: \(error)")
            return .failed
        }
    }

    private func configuration() throws(ReportError) -> AttestedConfig? {
        do throws(HandOverError) {
            return try HandOver.config(at: configPath)
        } catch {
            throw .handOver(error)
        }
    }

    /// In short waits, so that ``stop()`` is heard.
    private func pause(_ seconds: Double) -> Bool {
        let end = Clock.monotonicMilliseconds + UInt64(seconds * 1000)
        while !isStopped.withLock({ $0 }) {
            let now = Clock.monotonicMilliseconds
            guard now < end else { return true }
            Clock.sleep(milliseconds: min(500, end - now))
        }
        return false
    }

    /// The proof of unlock that the launch could not deliver: gone once a broker has judged it.
    private func deliverOutcome(_ delivery: Delivery) throws(ReportError) {
        let late: LateOutcome
        do throws(HandOverError) {
            guard let found = try HandOver.outcome(at: outcomePath) else { return }
            late = found
        } catch {
            // It never becomes readable, and a report is worth more than waiting for that.
            journal("\(error)")
            return
        }
        let winner = try delivery.winner(.late(late))
        winner.connection.close()
        switch winner.events.first {
        case .closed, .commit: journal("the broker has been told of the unlocking")
        case .refused(let refused):
            journal(
                "the broker did not take the proof of unlocking, reference \(refused.reference)")
        default: throw .connection(.closed, winner.connection.address)
        }
        try? File.remove(outcomePath)
    }
}
