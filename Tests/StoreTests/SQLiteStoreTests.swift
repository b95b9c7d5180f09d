import AdminAPI
import Bytes
import Foundation
import Policy
import Store
import Synchronization
import Testing

/// A database file of its own for each test, removed with it.
final class TemporaryStore: Sendable {
    let directory: String
    let store: SQLiteStore

    init() throws {
        directory = NSTemporaryDirectory() + "bootgate-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        store = try SQLiteStore(path: directory + "/broker.sqlite3")
    }

    func reopened() throws -> SQLiteStore {
        try store.finish()
        return try SQLiteStore(path: directory + "/broker.sqlite3")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }
}

func digest<let count: Int>(_ byte: UInt8) -> FixedBytes<count> {
    var value = FixedBytes<count>()
    for index in 0..<count { value[index] = byte }
    return value
}

func policy(_ name: String = "web") -> StoredPolicy {
    StoredPolicy(name: name, identity: digest(1), toml: "name = \"\(name)\"", created: 1000)
}

func vm(_ id: String = "web-1", version: Int = 1, policy: String = "web") -> EnrolledVM {
    EnrolledVM(
        id: id, policy: policy, configDigest: digest(2), gateConf: "vm = \(id)\n",
        luksUUID: "0e2f8b1e-7c59-4a7b-9b06-7c1fb05f3a8e", keyName: "disk", keyslot: 1,
        headerDigest: digest(3), volumeKeyCheck: digest(4), keyVersion: version,
        sealedKey: [1, 2, UInt8(version)], sealedProofKey: [3, 4], created: 1000, updated: 1000)
}

func entry(
    _ launch: UInt8, vm: String = "web-1", decision: LaunchDecision = .released,
    report: UInt8 = 9, time: Int64 = 2000
) -> LaunchEntry {
    LaunchEntry(
        launchID: digest(launch), vm: vm, time: time, from: "203.0.113.7", platform: "SNP Genoa",
        decision: decision, refusedChecks: decision == .refused ? ["measurement", "tcb"] : [],
        tookMicroseconds: 900, policy: "web", policyIdentity: digest(1), reportID: digest(report),
        chipID: digest(7), measurement: digest(8), binding: digest(6), findings: "[]")
}

extension SQLiteStore {
    @discardableResult
    func record(_ entry: LaunchEntry) async throws -> RecordedLaunch {
        try await withCheckedThrowingContinuation { continuation in
            decide(.init(vm: entry.vm, reportID: entry.reportID), by: { _ in entry }) {
                continuation.resume(with: $0)
            }
        }
    }

    func facts(vm: String = "web-1", report: UInt8 = 9) async throws -> LaunchFacts {
        let seen = Mutex<LaunchFacts?>(nil)
        var any = entry(0, vm: vm, decision: .refused)
        any.launchID = FixedBytes((0..<16).map { _ in UInt8.random(in: 0...255) }) ?? digest(0)
        let refused = any
        _ = try await withCheckedThrowingContinuation { continuation in
            decide(
                .init(vm: vm, reportID: digest(report)),
                by: { facts in
                    seen.withLock { $0 = facts }
                    return refused
                }, done: { continuation.resume(with: $0) })
        }
        return try #require(seen.withLock { $0 })
    }

    func close(_ launch: UInt8, _ outcome: LaunchOutcome) async throws {
        let entry = OutcomeEntry(outcome: outcome, failure: nil, detail: nil, time: 2001)
        try await withCheckedThrowingContinuation { continuation in
            close(launch: digest(launch), with: entry) { continuation.resume(with: $0) }
        }
    }
}

@Suite("SQLite store")
struct SQLiteStoreTests {
    let files: TemporaryStore
    var store: SQLiteStore { files.store }

    init() throws {
        files = try TemporaryStore()
    }

    @Test("an enrolment comes back whole after the store was opened again")
    func enrolmentRoundTrip() async throws {
        try await store.save(policy())
        try await store.enrol(vm())
        let again = try files.reopened()
        let summary = try #require(try await again.vm("web-1"))
        #expect(summary.vm == vm())
        #expect(summary.policyIdentity == digest(1))
        #expect(summary.lastLaunch == nil)
        #expect(try await again.vm("web-2") == nil)
        #expect(try await again.counts() == (0, 1))
    }

    @Test("an enrolment that names no stored policy changes nothing")
    func enrolmentWithoutPolicy() async throws {
        await #expect(throws: StoreError.missing(what: "policy", name: "web")) {
            try await store.enrol(vm())
        }
        #expect(try await store.vms().isEmpty)
        #expect(try await store.nextKeyVersion(of: "web-1") == 1)
    }

    @Test("enrolling again replaces the keys, keeps the state and needs the next key version")
    func enrolmentAgain() async throws {
        try await store.save(policy())
        try await store.enrol(vm())
        try await store.setEnabled(false, vm: "web-1", reason: "moved", at: 1500)
        await #expect(throws: StoreError.conflict(what: "VM", name: "web-1")) {
            try await store.enrol(vm(version: 1))
        }
        try await store.enrol(vm(version: 2))
        let now = try #require(try await store.vm("web-1")).vm
        #expect(now.state == .disabled)
        #expect(now.disabledReason == "moved")
        #expect(now.sealedKey == [1, 2, 2])
    }

    @Test("a key version is not used again after the VM was removed")
    func versionsOutliveVMs() async throws {
        try await store.save(policy())
        try await store.enrol(vm())
        try await store.remove(vm: "web-1")
        #expect(try await store.nextKeyVersion(of: "web-1") == 2)
        await #expect(throws: StoreError.missing(what: "VM", name: "web-1")) {
            try await store.remove(vm: "web-1")
        }
    }

    @Test("a decision sees what an administrator changed just before")
    func decisionsSeeChanges() async throws {
        try await store.save(policy())
        try await store.enrol(vm())
        #expect(try await store.facts().vm?.state == .enabled)
        try await store.setEnabled(false, vm: "web-1", reason: nil, at: 1500)
        #expect(try await store.facts().vm?.state == .disabled)
        var changed = policy()
        changed.toml = "changed"
        try await store.save(changed)
        #expect(try await store.facts().policy?.toml == "changed")
        try await store.remove(vm: "web-1")
        #expect(try await store.facts().vm == nil)
    }

    @Test("ledger rows are numbered, filtered and listed newest first")
    func ledger() async throws {
        for number in 1...3 {
            let decision: LaunchDecision = number == 2 ? .refused : .released
            let recorded = try await store.record(
                entry(UInt8(number), decision: decision, report: UInt8(number)))
            #expect(recorded.number == Int64(number))
        }
        let rows = try await store.launches(.init())
        #expect(rows.map(\.number) == [3, 2, 1])
        #expect(rows.map(\.outcome) == [.open, .none, .open])
        #expect(rows[1].entry == entry(2, decision: .refused, report: 2))
        #expect(try await store.launches(.init(decision: .refused)).map(\.number) == [2])
        #expect(try await store.launches(.init(vm: "web-2")).isEmpty)
        #expect(try await store.launches(.init(limit: 1)).map(\.number) == [3])
        #expect(try await store.launch(number: 2)?.entry.launchID == digest(2))
        #expect(try await store.launch(id: digest(3))?.number == 3)
        #expect(try await store.launch(number: 4) == nil)
    }

    @Test("a REPORT_ID remembers its first release and whether the disk was unlocked")
    func history() async throws {
        try await store.save(policy())
        try await store.enrol(vm())
        #expect(try await store.facts().history == .never)
        try await store.record(entry(1, time: 2000))
        #expect(try await store.facts().history == .released(first: 2000, unlocked: false))
        try await store.record(entry(2, time: 2100))
        #expect(try await store.facts().history == .released(first: 2000, unlocked: false))
        try await store.close(1, .failed)
        #expect(try await store.facts().history == .released(first: 2000, unlocked: false))
        try await store.close(2, .unlocked)
        #expect(try await store.facts().history == .released(first: 2000, unlocked: true))
    }

    @Test("nothing is released to a REPORT_ID that has unlocked, whatever was decided")
    func onceUnlockedNeverAgain() async throws {
        try await store.record(entry(1))
        try await store.close(1, .unlocked)
        let report: FixedBytes<32> = digest(9)
        await #expect(throws: StoreError.conflict(what: "REPORT_ID", name: report.hex)) {
            try await store.record(entry(2))
        }
        #expect(try await store.launches(.init()).count == 1)
    }

    @Test("a release without REPORT_ID is refused by the store itself")
    func releaseWithoutReport() async throws {
        var nameless = entry(1)
        nameless.reportID = nil
        let entry = nameless
        await #expect(throws: StoreError.self) {
            try await store.record(entry)
        }
        #expect(try await store.launches(.init()).isEmpty)
    }

    @Test("evidence of a kind without REPORT_ID is released to as often as its rules permit")
    func releaseOfRepeatable() async throws {
        for number: UInt8 in 1...2 {
            var nameless = entry(number)
            nameless.reportID = nil
            nameless.launchClass = .cpu
            nameless.anchor = .mrconfigid
            let entry = nameless
            let question = LaunchQuestion(vm: entry.vm, reportID: nil, needsReportID: false)
            let recorded = try await withCheckedThrowingContinuation { continuation in
                store.decide(question, by: { _ in entry }) { continuation.resume(with: $0) }
            }
            #expect(recorded.entry.decision == .released)
        }
        let rows = try await store.launches(.init())
        #expect(rows.count == 2)
        #expect(rows.allSatisfy { $0.entry.launchClass == .cpu && $0.entry.anchor == .mrconfigid })
    }

    @Test("an outcome closes an open launch once")
    func outcomes() async throws {
        try await store.save(policy())
        try await store.enrol(vm())
        try await store.record(entry(1))
        try await store.close(1, .failed)
        #expect(try await store.launch(number: 1)?.outcome == .failed)
        await #expect(throws: StoreError.self) { try await store.close(1, .unlocked) }
        await #expect(throws: StoreError.self) { try await store.close(2, .unlocked) }
        #expect(try await store.launch(number: 1)?.outcome == .failed)
    }

    @Test("a hundred decisions at once are all recorded, each with a number of its own")
    func groupCommit() async throws {
        let numbers = try await withThrowingTaskGroup(of: Int64.self) { group in
            for launch in 1...100 {
                group.addTask { [store] in
                    try await store.record(entry(UInt8(launch), report: UInt8(launch))).number
                }
            }
            return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
        }
        #expect(numbers == Set(1...100))
    }

    @Test("one piece of work that fails takes no other with it")
    func failureIsAlone() async throws {
        try await store.record(entry(1))
        let duplicate = Task { [store] in try await store.record(entry(1)) }
        let other = Task { [store] in try await store.record(entry(2)) }
        await #expect(throws: StoreError.self) { try await duplicate.value }
        #expect(try await other.value.entry.launchID == digest(2))
    }

    @Test("the first value remembered under a name stays")
    func remembered() async throws {
        #expect(try await store.remember([1], as: "check") == [1])
        #expect(try await store.remember([2], as: "check") == [1])
    }

    @Test("a file that is no database is refused with SQLite's reason")
    func notADatabase() throws {
        let path = files.directory + "/text"
        try Data(repeating: 0x41, count: 4096).write(to: URL(fileURLWithPath: path))
        #expect(throws: StoreError.self) { try SQLiteStore(path: path) }
    }

    @Test("removed keys are overwritten in the database file")
    func secureDelete() async throws {
        let marker = Array("sealed-key-marker".utf8)
        var marked = vm()
        marked.sealedKey = marker
        try await store.save(policy())
        try await store.enrol(marked)
        try await store.remove(vm: "web-1")
        try store.finish()
        let file = try Data(contentsOf: URL(fileURLWithPath: files.directory + "/broker.sqlite3"))
        #expect(file.range(of: Data(marker)) == nil)
    }
}
