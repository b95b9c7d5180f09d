import AdminAPI
import BrokerCore
import Endorsements
import Linux
import Store
import Synchronization

/// Numbers for Prometheus, in its text format 0.0.4.
final class Metrics: Sendable {
    fileprivate struct Commits {
        var buckets = [Int](repeating: 0, count: Metrics.bounds.count)
        var count = 0
        var sum = 0.0
        var pieces = 0
    }

    /// Upper bounds of the commit histogram, in seconds.
    private static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

    private let statistics: LaunchStatistics
    private let openConnections: @Sendable () -> Int
    private let commits: LedgerCommits
    private let fetches: Fetches

    /// Requests to vendors; made before the fetcher, which reports into it.
    final class Fetches: Sendable {
        private struct Kind: Hashable {
            var vendor: EndorsementObject.Vendor
            var isGood: Bool
        }

        private let counts = Mutex<[Kind: Int]>([:])

        /// Counts a request that has ended.
        func count(_ vendor: EndorsementObject.Vendor, isGood: Bool) {
            counts.withLock { $0[Kind(vendor: vendor, isGood: isGood), default: 0] += 1 }
        }

        fileprivate func count(of vendor: EndorsementObject.Vendor, _ isGood: Bool) -> Int {
            counts.withLock { $0[Kind(vendor: vendor, isGood: isGood), default: 0] }
        }
    }

    /// What the ledger took; made before the store, which reports into it.
    final class LedgerCommits: Sendable {
        private let state = Mutex(Commits())

        fileprivate var now: Commits { state.withLock { $0 } }

        /// Counts a commit of `count` pieces that took `seconds`.
        func observe(_ seconds: Double, _ count: Int) {
            state.withLock { state in
                for (index, bound) in Metrics.bounds.enumerated() where seconds <= bound {
                    state.buckets[index] += 1
                }
                state.count += 1
                state.sum += seconds
                state.pieces += count
            }
        }
    }

    init(
        statistics: LaunchStatistics, commits: LedgerCommits, fetches: Fetches,
        openConnections: @escaping @Sendable () -> Int
    ) {
        self.statistics = statistics
        self.commits = commits
        self.fetches = fetches
        self.openConnections = openConnections
    }

    func exposition() -> String {
        let now = statistics.now
        var text = ""
        func family(_ name: String, _ kind: String, _ help: String) {
            text += "# HELP bootgate_\(name) \(help)\n# TYPE bootgate_\(name) \(kind)\n"
        }
        func line(_ name: String, _ label: String = "", _ value: some CustomStringConvertible) {
            text += "bootgate_\(name)\(label.isEmpty ? "" : "{\(label)}") \(value)\n"
        }
        family("launches_total", "counter", "Ledger rows by decision.")
        for decision in LaunchDecision.allCases {
            line(
                "launches_total", "decision=\"\(decision.rawValue)\"",
                now.decisions[decision, default: 0])
        }
        family("outcomes_total", "counter", "Outcomes of released keys.")
        for outcome in [LaunchOutcome.unlocked, .failed] {
            line(
                "outcomes_total", "outcome=\"\(outcome.rawValue)\"",
                now.outcomes[outcome, default: 0])
        }
        family("refusals_total", "counter", "Connections that got no key, by reason.")
        for reason in RefusalReason.allCases {
            line(
                "refusals_total", "reason=\"\(reason.rawValue)\"",
                now.refusals[reason, default: 0])
        }
        family(
            "unrecorded_evidence_total", "counter",
            "Evidence that was not authentic and got no ledger row of its own.")
        line("unrecorded_evidence_total", "", now.unrecorded)
        family("reports_total", "counter", "Runtime reports in the ledger, by verdict.")
        for verdict in ReportVerdict.allCases {
            line(
                "reports_total", "verdict=\"\(verdict.rawValue)\"", now.reports[verdict, default: 0]
            )
        }
        family("endorsement_requests_total", "counter", "Requests to vendors, by how they ended.")
        for vendor in EndorsementObject.Vendor.allCases {
            for (result, isGood) in [("fetched", true), ("failed", false)] {
                line(
                    "endorsement_requests_total",
                    "vendor=\"\(vendor.rawValue)\",result=\"\(result)\"",
                    fetches.count(of: vendor, isGood))
            }
        }
        family("open_connections", "gauge", "Launch connections.")
        line("open_connections", "", openConnections())
        appendCommits(&text)
        family("resident_memory_bytes", "gauge", "Resident memory.")
        line("resident_memory_bytes", "", Self.residentBytes)
        return text
    }

    private func appendCommits(_ text: inout String) {
        let now = commits.now
        let name = "bootgate_ledger_commit_seconds"
        text += "# HELP \(name) Time of a durable ledger commit.\n# TYPE \(name) histogram\n"
        for (bound, count) in zip(Self.bounds, now.buckets) {
            text += "\(name)_bucket{le=\"\(bound)\"} \(count)\n"
        }
        text += "\(name)_bucket{le=\"+Inf\"} \(now.count)\n"
        text += "\(name)_sum \(now.sum)\n\(name)_count \(now.count)\n"
        let pieces = "bootgate_ledger_writes_total"
        text += "# HELP \(pieces) Pieces of work in those commits.\n# TYPE \(pieces) counter\n"
        text += "\(pieces) \(now.pieces)\n"
    }

    /// The second field of /proc/self/statm, in pages.
    static var residentBytes: Int {
        guard let bytes = try? File.read("/proc/self/statm", atMost: 256) else { return 0 }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }
}
