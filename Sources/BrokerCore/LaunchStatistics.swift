public import AdminAPI
public import Store
import Synchronization

/// Why a connection ended without a release.
public enum RefusalReason: String, Sendable, CaseIterable {
    /// The peer broke the protocol.
    case malformed
    /// The evidence is not authentic.
    case unauthentic
    /// The evidence is authentic, and the policy says no.
    case policy
    /// The peer did not get ready in time.
    case deadline
    /// More connections than the broker takes.
    case connections
    /// More connections from one address than the broker takes.
    case rate
    /// The TLS handshake failed.
    case handshake
    /// The ledger could not be written, or a sealed key could not be opened.
    case unavailable
    /// A late proof fits no open launch.
    case lateProof = "late proof"
}

/// Counts since the start, for status and metrics.
public final class LaunchStatistics: Sendable {
    /// One moment's counts.
    public struct Counts: Sendable {
        /// Connections by why nothing was released.
        public var refusals: [RefusalReason: Int] = [:]
        /// Ledger rows by decision.
        public var decisions: [LaunchDecision: Int] = [:]
        /// Outcomes by kind.
        public var outcomes: [LaunchOutcome: Int] = [:]
        /// Runtime reports in the ledger, by verdict.
        public var reports: [ReportVerdict: Int] = [:]
        /// Evidence that was not authentic and got no row of its own.
        public var unrecorded = 0
    }

    private let counts = Mutex(Counts())

    /// Starts at zero.
    public init() {}

    /// The counts as they are now.
    public var now: Counts { counts.withLock { $0 } }

    /// Counts a refusal.
    public func count(_ reason: RefusalReason) {
        counts.withLock { $0.refusals[reason, default: 0] += 1 }
    }

    func count(_ decision: LaunchDecision) {
        counts.withLock { $0.decisions[decision, default: 0] += 1 }
    }

    func count(_ outcome: LaunchOutcome) {
        counts.withLock { $0.outcomes[outcome, default: 0] += 1 }
    }

    func count(_ verdict: ReportVerdict) {
        counts.withLock { $0.reports[verdict, default: 0] += 1 }
    }

    func countUnrecorded() {
        counts.withLock { $0.unrecorded += 1 }
    }
}
