public import AdminAPI
import Bytes
import Foundation
import GRDB

extension SQLiteStore {
    /// How many snapshots of a VM are remembered: the registered one, and the one before it.
    private static let rememberedSnapshots = 2

    /// Judges a runtime report and records what came of it, in one transaction.
    public func report(
        _ question: ReportQuestion,
        by judge: @escaping @Sendable (RuntimeFacts) -> ReportDecision?,
        done: @escaping @Sendable (Result<(Int64, ReportDecision)?, StoreError>) -> Void
    ) {
        commits.submit(
            .init(
                run: { database in
                    let facts = try self.facts(for: question, database)
                    guard let decision = judge(facts) else { return { done(.success(nil)) } }
                    let number = try Self.record(decision, after: facts.runtime, database)
                    return { done(.success((number, decision))) }
                }, fail: { done(.failure($0)) }))
    }

    /// What a report of that VM would be judged on now.
    public func runtimeFacts(
        _ question: ReportQuestion,
        done: @escaping @Sendable (Result<RuntimeFacts, StoreError>) -> Void
    ) {
        // The cache of enrolments may be filled only where writes follow each other.
        write({ database in try self.facts(for: question, database) }, done: done)
    }

    /// Changes a VM's runtime record and notes why, in one transaction.
    public func changeRuntime(
        of vm: String, at time: Int64,
        by change: @escaping @Sendable (inout VMRuntime) -> EventEntry?
    ) async throws(StoreError) -> VMRuntime? {
        try await write { database in
            guard try self.vm(vm, database) != nil else {
                throw StoreError.missing(what: "VM", name: vm)
            }
            let before = try Self.runtime(of: vm, database)
            var runtime = before
            guard let event = change(&runtime) else { return nil }
            try Self.save(runtime, of: vm, database)
            if let snapshot = runtime.snapshot, snapshot != before.snapshot {
                try Self.register(snapshot, database)
            }
            try Self.insert(event, of: vm, at: time, database)
            return runtime
        }
    }

    /// Digests of the snapshots whose files are kept, the newest first.
    public func snapshots(of vm: String) async throws(StoreError) -> [String] {
        try await read { database in
            try String.fetchAll(
                database, sql: "SELECT digest FROM snapshots WHERE vm = ? ORDER BY number DESC",
                arguments: [vm])
        }
    }

    /// Reports that name a VM, newest first.
    public func reports(of vm: String, limit: Int) async throws(StoreError) -> [ReportRow] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM reports WHERE vm = ? ORDER BY number DESC LIMIT ?",
                arguments: [vm, limit]
            ).map(ReportRow.init)
        }
    }

    /// The report of that number.
    public func report(number: Int64) async throws(StoreError) -> ReportRow? {
        try await read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM reports WHERE number = ?", arguments: [number]
            ).map(ReportRow.init)
        }
    }

    /// Events of a VM, newest first.
    public func events(of vm: String, limit: Int) async throws(StoreError) -> [VMEvent] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM events WHERE vm = ? ORDER BY number DESC LIMIT ?",
                arguments: [vm, limit]
            ).map(VMEvent.init)
        }
    }

    /// Whether a launch of that VM meets a failure.
    static func runtimeHasFailed(_ vm: String, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM runtime WHERE vm = ? AND state = 'failed')"),
            arguments: [vm]) ?? false
    }

    private func facts(for question: ReportQuestion, _ database: Database) throws -> RuntimeFacts {
        let vm = try vm(question.vm, database)
        return RuntimeFacts(
            vm: vm, policy: try vm.flatMap { try policy($0.policy, database) },
            runtime: try Self.runtime(of: question.vm, database),
            launch: try Self.provedLaunch(question, database))
    }

    private static func provedLaunch(
        _ question: ReportQuestion, _ database: Database
    ) throws -> ProvedLaunch? {
        let row: Row?
        if let report = question.reportID {
            row = try Row.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT number, vm, time FROM launches
                        WHERE report_id = ? AND outcome = 'unlocked' ORDER BY number DESC LIMIT 1
                        """), arguments: [Data(report.bytes)])
        } else {
            row = try Row.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT number, vm, time FROM launches
                        WHERE vm = ? AND outcome = 'unlocked' ORDER BY number DESC LIMIT 1
                        """), arguments: [question.vm])
        }
        return try row.map { row in
            let columns = Columns(row: row, table: "launches")
            return ProvedLaunch(
                number: try columns.integer("number"), vm: try columns.text("vm"),
                released: try columns.integer("time"))
        }
    }

    private static func runtime(of vm: String, _ database: Database) throws -> VMRuntime {
        let row = try Row.fetchOne(
            database.cachedStatement(sql: "SELECT * FROM runtime WHERE vm = ?"), arguments: [vm])
        var runtime = try row.map(VMRuntime.init) ?? VMRuntime()
        runtime.snapshot = try Row.fetchOne(
            database.cachedStatement(
                sql: "SELECT * FROM snapshots WHERE vm = ? ORDER BY number DESC LIMIT 1"),
            arguments: [vm]
        ).map(SnapshotRecord.init)
        return runtime
    }

    /// The findings of a report that was trusted, with nothing to tell of its files, are kept until the next one
    /// comes: thousands of them say the same.
    private static func record(
        _ decision: ReportDecision, after before: VMRuntime, _ database: Database
    ) throws -> Int64 {
        let entry = decision.entry
        try database.cachedStatement(
            sql: """
                INSERT INTO reports (vm, time, peer, platform, verdict, refused_checks,
                    took_microseconds, policy_identity, report_id, resets, restarts, snapshot,
                    entries, quoted_entries, findings, problems)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: entry.arguments)
        let number = database.lastInsertedRowID
        if var runtime = decision.runtime {
            runtime.lastReport = number
            runtime.lastTime = entry.time
            try save(runtime, of: entry.vm, database)
            if let last = before.lastReport {
                try database.cachedStatement(
                    sql: """
                        UPDATE reports SET findings = '[]'
                        WHERE number = ? AND verdict = 'trusted' AND problems = '[]'
                        """
                ).execute(arguments: [last])
            }
        }
        for event in decision.events {
            try insert(event, of: entry.vm, at: entry.time, database)
        }
        return number
    }

    private static func save(_ runtime: VMRuntime, of vm: String, _ database: Database) throws {
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO runtime (vm, state, last_report, last_time, failed_checks,
                    signer, boot_report_id, boot_resets, boot_restarts, window_opened,
                    window_expires, window_reason, ticket_created, ticket_expires, ticket_reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: runtime.arguments(of: vm))
    }

    private static func register(_ snapshot: SnapshotRecord, _ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM snapshots WHERE vm = ? AND digest = ?",
            arguments: [snapshot.vm, snapshot.digest])
        try database.execute(
            sql: """
                INSERT INTO snapshots (vm, digest, size, files, registered, signer)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                snapshot.vm, snapshot.digest, snapshot.size, snapshot.files, snapshot.registered,
                snapshot.signer,
            ])
        try database.execute(
            sql: """
                DELETE FROM snapshots WHERE vm = ?1 AND number NOT IN
                    (SELECT number FROM snapshots WHERE vm = ?1 ORDER BY number DESC LIMIT ?2)
                """, arguments: [snapshot.vm, rememberedSnapshots])
    }

    private static func insert(
        _ event: EventEntry, of vm: String, at time: Int64, _ database: Database
    ) throws {
        try database.cachedStatement(
            sql: "INSERT INTO events (vm, time, kind, detail) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [vm, time, event.kind, event.detail])
    }
}
