import AdminAPI
import Bytes
import Policy
import Store
import Synchronization
import Testing

func report(
    _ verdict: ReportVerdict = .trusted, vm: String = "web-1", time: Int64 = 3000
) -> ReportEntry {
    ReportEntry(
        vm: vm, time: time, from: "203.0.113.7", platform: "SNP Genoa", verdict: verdict,
        refusedChecks: verdict == .failed ? ["snapshot", "IMA replay"] : [],
        tookMicroseconds: 1200, policyIdentity: digest(1),
        boot: BootRecord(reportID: "1d", resetCount: 7, restartCount: .max), snapshot: "ab",
        entries: 1200, quotedEntries: 1100, findings: "[1]", problems: "[2]")
}

func snapshot(_ digit: String, signer: String? = nil) -> SnapshotRecord {
    SnapshotRecord(
        vm: "web-1", digest: String(repeating: digit, count: 64), size: 1 << 33, files: 412_000,
        registered: 2500, signer: signer)
}

extension SQLiteStore {
    func record(
        _ entry: ReportEntry, _ runtime: VMRuntime? = nil, events: [EventEntry] = []
    ) async throws -> Int64? {
        try await withCheckedThrowingContinuation { continuation in
            report(
                .init(vm: entry.vm, reportID: nil),
                by: { _ in ReportDecision(entry: entry, runtime: runtime, events: events) },
                done: { continuation.resume(with: $0.map { $0?.0 }) })
        }
    }

    func runtime(_ vm: String = "web-1") async throws -> VMRuntime {
        try await runtimeFacts(.init(vm: vm, reportID: nil)).runtime
    }
}

@Suite("Runtime state in the SQLite store")
struct RuntimeStoreTests {
    let files: TemporaryStore
    var store: SQLiteStore { files.store }

    init() async throws {
        files = try TemporaryStore()
        try await files.store.save(policy())
        try await files.store.enrol(vm())
    }

    private func fail() async throws {
        _ = try await store.record(
            report(.failed), VMRuntime(state: .failed, failedChecks: ["snapshot", "IMA replay"]))
    }

    @Test("a verdict, the state that it leads to and what else happened come back after a restart")
    func verdictIsDurable() async throws {
        let runtime = VMRuntime(
            state: .failed, failedChecks: ["snapshot", "IMA replay"], signer: digest(5),
            boot: BootRecord(reportID: "1d", resetCount: .max, restartCount: 0),
            window: WindowRecord(opened: 1, expires: 2, reason: "updates"),
            ticket: TicketRecord(created: 3, expires: 4, reason: "kernel"))
        let number = try await store.record(
            report(.failed), runtime, events: [EventEntry("reboot seen", "L-00001")])
        #expect(number == 1)
        let again = try files.reopened()
        var expected = runtime
        (expected.lastReport, expected.lastTime) = (1, 3000)
        #expect(try await again.runtime() == expected)
        #expect(try await again.report(number: 1)?.entry == report(.failed))
        #expect(try await again.report(number: 2) == nil)
        let events = try await again.events(of: "web-1", limit: 5)
        #expect(
            events == [
                VMEvent(number: 1, vm: "web-1", time: 3000, kind: "reboot seen", detail: "L-00001")
            ])
    }

    @Test("a report that says nothing of the VM leaves its state alone")
    func refusedReport() async throws {
        try await fail()
        let before = try await store.runtime()
        #expect(try await store.record(report(.refused)) == 2)
        #expect(try await store.runtime() == before)
        #expect(try await store.reports(of: "web-1", limit: 10).map(\.number) == [2, 1])
        #expect(try await store.reports(of: "web-1", limit: 1).map(\.number) == [2])
        #expect(try await store.reports(of: "web-2", limit: 10).isEmpty)
    }

    @Test("a judge that gives up records nothing")
    func noDecision() async throws {
        let isNothing = try await withCheckedThrowingContinuation { continuation in
            store.report(.init(vm: "web-1", reportID: nil), by: { _ in nil }) {
                continuation.resume(with: $0.map { $0 == nil })
            }
        }
        #expect(isNothing)
        #expect(try await store.reports(of: "web-1", limit: 10).isEmpty)
    }

    @Test(
        "findings of a trusted report with no problems go when the next one comes, those of others stay"
    )
    func findingsGo() async throws {
        var quiet = report(.trusted)
        quiet.problems = "[]"
        _ = try await store.record(quiet, VMRuntime(state: .trusted))
        #expect(try await store.report(number: 1)?.entry.findings == "[1]")
        try await fail()
        #expect(try await store.report(number: 1)?.entry.findings == "[]")
        _ = try await store.record(report(.trusted), VMRuntime(state: .trusted))
        #expect(try await store.report(number: 2)?.entry.findings == "[1]")
        _ = try await store.record(quiet, VMRuntime(state: .trusted))
        #expect(try await store.report(number: 3)?.entry.findings == "[1]")
    }

    @Test("a failure meets the next launch until it is resumed")
    func launchLearns() async throws {
        #expect(try await store.facts().runtimeHasFailed == false)
        try await fail()
        #expect(try await store.facts().runtimeHasFailed)
        #expect(try await store.facts(vm: "web-2").runtimeHasFailed == false)
        let resumed = try await store.changeRuntime(of: "web-1", at: 3100) { runtime in
            runtime.state = .neverVerified
            return EventEntry("resumed", "looked at it")
        }
        #expect(resumed?.state == .neverVerified)
        #expect(try await store.facts().runtimeHasFailed == false)
        #expect(try await store.events(of: "web-1", limit: 1).map(\.detail) == ["looked at it"])
    }

    @Test("a change that is not made leaves no event, and one of an unknown VM is an error")
    func unmadeChange() async throws {
        let change = try await store.changeRuntime(of: "web-1", at: 1) { runtime in
            runtime.state = .failed
            return nil
        }
        #expect(change == nil)
        #expect(try await store.runtime() == VMRuntime())
        #expect(try await store.events(of: "web-1", limit: 5).isEmpty)
        await #expect(throws: StoreError.missing(what: "VM", name: "web-9")) {
            try await store.changeRuntime(of: "web-9", at: 1) { _ in EventEntry("a", "b") }
        }
    }

    @Test("the last two snapshots are remembered, the newest is the registered one")
    func snapshots() async throws {
        for digit in ["a", "b", "c", "b"] {
            _ = try await store.changeRuntime(of: "web-1", at: 1) { runtime in
                runtime.snapshot = snapshot(digit, signer: "5e")
                return EventEntry("snapshot registered", digit)
            }
        }
        #expect(try await store.runtime().snapshot == snapshot("b", signer: "5e"))
        #expect(
            try await store.snapshots(of: "web-1")
                == ["b", "c"].map { String(repeating: $0, count: 64) })
    }

    @Test("a report finds the proved launch of its REPORT_ID, and of its VM where it has none")
    func provedLaunch() async throws {
        func launch(_ report: UInt8?) async throws -> ProvedLaunch? {
            try await store.runtimeFacts(
                .init(vm: "web-1", reportID: report.map { digest($0) })
            ).launch
        }
        try await store.record(entry(1, report: 9))
        #expect(try await launch(9) == nil)
        #expect(try await launch(nil) == nil)
        try await store.close(1, .unlocked)
        try await store.record(entry(2, vm: "web-2", report: 10, time: 2100))
        try await store.close(2, .unlocked)
        #expect(try await launch(9) == ProvedLaunch(number: 1, vm: "web-1", released: 2000))
        #expect(try await launch(10)?.vm == "web-2")
        #expect(try await launch(11) == nil)
        #expect(try await launch(nil)?.number == 1)
    }

    @Test("a removed VM takes its state and snapshots with it, and leaves its ledger")
    func removal() async throws {
        try await fail()
        _ = try await store.changeRuntime(of: "web-1", at: 1) { runtime in
            runtime.snapshot = snapshot("a")
            return EventEntry("snapshot registered", "a")
        }
        try await store.remove(vm: "web-1")
        #expect(try await store.runtime() == VMRuntime())
        #expect(try await store.snapshots(of: "web-1").isEmpty)
        #expect(try await store.reports(of: "web-1", limit: 10).count == 1)
        #expect(try await store.events(of: "web-1", limit: 10).count == 1)
        #expect(try await store.facts().runtimeHasFailed == false)
    }
}
