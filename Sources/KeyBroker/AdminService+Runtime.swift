import AdminAPI
import BrokerCore
import Bytes
import Foundation
import Linux
import Policy
import Protocol
import Settings
import Store

extension AdminService {
    /// For how long something may be opened, in seconds.
    private static let durations: ClosedRange<Int64> = 60...604_800

    /// Events that owners' programs put into the ledger; all others are the broker's own.
    private static let foreignEvents: Set<String> = [
        "app init", "app start", "app stop", "app restart", "update reviewed",
    ]

    func runtime(_ id: String) async throws -> RuntimeRecord {
        _ = try await vm(id)
        let facts = try await store.runtimeFacts(ReportQuestion(vm: id, reportID: nil))
        return record(id, facts.runtime, facts.policy)
    }

    func resume(_ id: String, _ request: RuntimeRequest) async throws -> RuntimeRecord {
        let reason = try Self.reason(request)
        return try await change(id, unless: "\(id) has not failed") { runtime, _ in
            guard runtime.state == .failed else { return nil }
            runtime.state = .neverVerified
            runtime.failedChecks = []
            return EventEntry("resumed", reason)
        }
    }

    func expectReboot(_ id: String, _ request: RuntimeRequest) async throws -> RuntimeRecord {
        let reason = try Self.reason(request)
        let seconds = try Self.seconds(request)
        return try await change(id) { runtime, now in
            runtime.ticket = TicketRecord(created: now, expires: now + seconds, reason: reason)
            return EventEntry("reboot expected", reason)
        }
    }

    func beginUpdate(_ id: String, _ request: RuntimeRequest) async throws -> RuntimeRecord {
        let reason = try Self.reason(request)
        let seconds = try Self.seconds(request)
        return try await change(id) { runtime, now in
            runtime.window = WindowRecord(opened: now, expires: now + seconds, reason: reason)
            return EventEntry("window opened", reason)
        }
    }

    func endUpdate(_ id: String, _ request: RuntimeRequest) async throws -> RuntimeRecord {
        let reason = try Self.reason(request)
        return try await change(id, unless: "no window is open for \(id)") { runtime, _ in
            guard runtime.window != nil else { return nil }
            runtime.window = nil
            return EventEntry("window closed", reason)
        }
    }

    func note(_ id: String, _ kind: String, _ request: RuntimeRequest) async throws -> RuntimeRecord
    {
        let reason = try Self.reason(request)
        guard Self.foreignEvents.contains(kind) else {
            let known = Self.foreignEvents.sorted().joined(separator: ", ")
            throw AdminFault(.invalid, "expected one of \(known)", field: "kind")
        }
        return try await change(id) { _, _ in EventEntry(kind, reason) }
    }

    func events(_ id: String, limit: Int) async throws -> EventList {
        EventList(events: try await store.events(of: id, limit: limit))
    }

    func reports(_ id: String, limit: Int) async throws -> ReportList {
        ReportList(reports: try await store.reports(of: id, limit: limit).map { ReportRecord($0) })
    }

    func report(_ reference: String) async throws -> ReportRecord {
        guard reference.hasPrefix("R-"), let number = Int64(reference.dropFirst(2)) else {
            throw AdminFault(.invalid, "expected a reference such as R-00012", field: "report")
        }
        guard let row = try await store.report(number: number) else {
            throw AdminFault(.notFound, "there is no report \(reference)")
        }
        var record = ReportRecord(row)
        let decoder = JSONDecoder()
        record.findings = try decoder.decode([Finding].self, from: Data(row.entry.findings.utf8))
        record.problems = try decoder.decode(
            [ReportProblem].self, from: Data(row.entry.problems.utf8))
        return record
    }

    /// Changes the record of `id`, or says that `obstacle` forbids it.
    private func change(
        _ id: String, unless obstacle: String = "",
        _ body: @escaping @Sendable (inout VMRuntime, Int64) -> EventEntry?
    ) async throws -> RuntimeRecord {
        let now = Clock.realtime
        let changed = try await store.changeRuntime(of: id, at: now) { body(&$0, now) }
        guard changed != nil else { throw AdminFault(.conflict, obstacle) }
        return try await runtime(id)
    }

    private func record(
        _ id: String, _ runtime: VMRuntime, _ policy: StoredPolicy?
    ) -> RuntimeRecord {
        let now = Clock.realtime
        var state = runtime.state
        if state == .trusted, let time = runtime.lastTime, now - time > staleAfter(policy) {
            state = .stale
        }
        return RuntimeRecord(
            vm: id, state: state,
            lastReport: runtime.lastReport.map { ReportReference.text($0) },
            lastTime: runtime.lastTime, failedChecks: runtime.failedChecks,
            snapshot: runtime.snapshot, boot: runtime.boot,
            window: runtime.window.flatMap { $0.expires > now ? $0 : nil },
            ticket: runtime.ticket.flatMap { $0.expires > now ? $0 : nil })
    }

    /// After how many seconds a report is old; as of a policy that says nothing where there is none.
    private func staleAfter(_ policy: StoredPolicy?) -> Int64 {
        let rules = policy.flatMap { try? AppraisalPolicy(toml: $0.toml) }?.rules.runtime
        return Int64((rules ?? RuntimeRules()).staleAfter)
    }

    private static func reason(_ request: RuntimeRequest) throws(AdminFault) -> String {
        guard (1...256).contains(request.reason.utf8.count) else {
            throw AdminFault(.invalid, "expected 1 to 256 bytes", field: "reason")
        }
        return request.reason
    }

    private static func seconds(_ request: RuntimeRequest) throws(AdminFault) -> Int64 {
        guard let seconds = request.seconds, durations.contains(seconds) else {
            throw AdminFault(
                .invalid, "expected \(durations.lowerBound) to \(durations.upperBound)",
                field: "seconds")
        }
        return seconds
    }
}

extension ReportRecord {
    /// Everything but findings and problems.
    init(_ row: ReportRow) {
        let entry = row.entry
        self.init(
            reference: ReportReference.text(row.number), vm: entry.vm, time: entry.time,
            from: entry.from, verdict: entry.verdict.rawValue, refusedChecks: entry.refusedChecks,
            entries: entry.entries, quotedEntries: entry.quotedEntries)
    }
}
