import AdminAPI
public import Bytes
import Foundation
import GRDB

extension SQLiteStore {
    /// Makes a decision and records it, in one transaction.
    public func decide(
        _ question: LaunchQuestion, by decide: @escaping @Sendable (LaunchFacts) -> LaunchEntry,
        done: @escaping @Sendable (Result<RecordedLaunch, StoreError>) -> Void
    ) {
        commits.submit(
            .init(
                run: { database in
                    let facts = try self.facts(for: question, database)
                    let entry = decide(facts)
                    let number = try Self.insert(
                        entry, needsReportID: question.needsReportID, database)
                    let recorded = RecordedLaunch(number: number, entry: entry, vm: facts.vm)
                    return { done(.success(recorded)) }
                }, fail: { done(.failure($0)) }))
    }

    /// Records what became of a released key.
    public func close(
        launch id: FixedBytes<16>, with outcome: OutcomeEntry,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        commits.submit(
            .init(
                run: { database in
                    try Self.close(id, outcome, database)
                    return { done(.success(())) }
                }, fail: { done(.failure($0)) }))
    }

    /// The open launch of that id with the present enrolment of its VM.
    public func openLaunch(
        _ id: FixedBytes<16>,
        done: @escaping @Sendable (Result<(LedgerRow, EnrolledVM)?, StoreError>) -> Void
    ) {
        commits.submit(
            .init(
                run: { database in
                    let row = try Row.fetchOne(
                        database.cachedStatement(
                            sql: "SELECT * FROM launches WHERE launch_id = ? AND outcome = 'open'"),
                        arguments: [Data(id.bytes)])
                    guard let launch = try row.map(LedgerRow.init),
                        let vm = try self.vm(launch.entry.vm, database)
                    else { return { done(.success(nil)) } }
                    return { done(.success((launch, vm))) }
                }, fail: { done(.failure($0)) }))
    }

    /// Ledger rows, newest first.
    public func launches(_ filter: LaunchFilter) async throws(StoreError) -> [LedgerRow] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM launches
                    WHERE (?1 IS NULL OR vm = ?1) AND (?2 IS NULL OR decision = ?2)
                    ORDER BY number DESC LIMIT ?3
                    """,
                arguments: [filter.vm, filter.decision?.rawValue, filter.limit]
            ).map(LedgerRow.init)
        }
    }

    /// The row of that number.
    public func launch(number: Int64) async throws(StoreError) -> LedgerRow? {
        try await read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM launches WHERE number = ?", arguments: [number]
            ).map(LedgerRow.init)
        }
    }

    /// The row of that launch id.
    public func launch(id: FixedBytes<16>) async throws(StoreError) -> LedgerRow? {
        try await read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM launches WHERE launch_id = ?",
                arguments: [Data(id.bytes)]
            ).map(LedgerRow.init)
        }
    }

    /// How many launches and VMs there are.
    public func counts() async throws(StoreError) -> (launches: Int, vms: Int) {
        try await read { database in
            (
                try Int.fetchOne(database, sql: "SELECT count(*) FROM launches") ?? 0,
                try Int.fetchOne(database, sql: "SELECT count(*) FROM vms") ?? 0
            )
        }
    }

    private func facts(
        for question: LaunchQuestion, _ database: Database
    ) throws -> LaunchFacts {
        let vm = try vm(question.vm, database)
        return LaunchFacts(
            vm: vm, policy: try vm.flatMap { try policy($0.policy, database) },
            history: try question.reportID.map { try Self.history(of: $0, database) } ?? .never,
            runtimeHasFailed: try Self.runtimeHasFailed(question.vm, database))
    }

    private static func history(
        of report: FixedBytes<32>, _ database: Database
    ) throws -> ReportHistory {
        let row = try Row.fetchOne(
            database.cachedStatement(sql: "SELECT * FROM report_ids WHERE report_id = ?"),
            arguments: [Data(report.bytes)])
        guard let row else { return .never }
        let columns = Columns(row: row, table: "report_ids")
        return .released(
            first: try columns.integer("first_released"),
            unlocked: try columns.integer("unlocked") != 0)
    }

    private static func insert(
        _ entry: LaunchEntry, needsReportID: Bool, _ database: Database
    ) throws -> Int64 {
        if entry.decision == .released, entry.reportID == nil, needsReportID {
            // Without it nothing could tell this guest from its next start.
            throw StoreError.missing(what: "REPORT_ID of launch", name: entry.launchID.hex)
        }
        if entry.decision == .released, let report = entry.reportID {
            try database.cachedStatement(
                sql: """
                    INSERT INTO report_ids (report_id, vm, first_released, unlocked)
                    VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING
                    """
            ).execute(arguments: [Data(report.bytes), entry.vm, entry.time])
            if case .released(_, unlocked: true) = try history(of: report, database) {
                throw StoreError.conflict(what: "REPORT_ID", name: report.hex)
            }
        }
        try database.cachedStatement(
            sql: """
                INSERT INTO launches (launch_id, vm, time, peer, platform, decision,
                    refused_checks, took_microseconds, policy, policy_identity, report_id,
                    chip_id, measurement, binding, findings, outcome, launch_class, anchor)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: entry.arguments)
        return database.lastInsertedRowID
    }

    private static func close(
        _ id: FixedBytes<16>, _ outcome: OutcomeEntry, _ database: Database
    ) throws {
        try database.cachedStatement(
            sql: """
                UPDATE launches SET outcome = ?, failure = ?, failure_detail = ?, outcome_time = ?
                WHERE launch_id = ? AND outcome = 'open'
                """
        ).execute(arguments: [
            outcome.outcome.rawValue, outcome.failure, outcome.detail, outcome.time,
            Data(id.bytes),
        ])
        guard database.changesCount == 1 else {
            throw StoreError.missing(what: "open launch", name: id.hex)
        }
        guard outcome.outcome == .unlocked else { return }
        try database.cachedStatement(
            sql: """
                UPDATE report_ids SET unlocked = 1
                WHERE report_id = (SELECT report_id FROM launches WHERE launch_id = ?)
                """
        ).execute(arguments: [Data(id.bytes)])
    }
}
