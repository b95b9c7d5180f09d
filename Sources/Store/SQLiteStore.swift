import Bytes
import Foundation
import GRDB
import Synchronization

/// The store of a single broker: one SQLite file, WAL, synchronous=FULL.
public final class SQLiteStore: BrokerStore {
    let database: DatabasePool
    let commits: GroupCommit
    /// Enrolments and policies that launches asked for. Filled and emptied only inside write
    /// transactions, which follow each other, so it never disagrees with the tables.
    let cache = Cache()

    final class Cache: Sendable {
        let vms = Mutex<[String: EnrolledVM]>([:])
        let policies = Mutex<[String: StoredPolicy]>([:])

        func forgetAll() {
            vms.withLock { $0 = [:] }
            policies.withLock { $0 = [:] }
        }
    }

    /// Opens or makes the database at `path`, and brings its tables up to date.
    ///
    /// `observe` hears of every commit: how long it took and how many pieces of work it held.
    public init(
        path: String,
        observe: @escaping @Sendable (_ seconds: Double, _ count: Int) -> Void = { _, _ in }
    ) throws(StoreError) {
        var configuration = Configuration()
        configuration.maximumReaderCount = 2
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        }
        do {
            let database = try DatabasePool(path: path, configuration: configuration)
            try Schema.migrator.migrate(database)
            self.database = database
            let cache = cache
            commits = GroupCommit(database, observe: observe, lost: { cache.forgetAll() })
        } catch {
            throw StoreError(error)
        }
    }

    /// Writes the log back into the database file and closes it; nothing may be asked afterwards.
    public func finish() throws(StoreError) {
        do {
            try database.writeWithoutTransaction { database in
                _ = try database.checkpoint(.truncate)
            }
            try database.close()
        } catch {
            throw StoreError(error)
        }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T)
        async throws(StoreError) -> T
    {
        do {
            return try await database.read(body)
        } catch {
            throw StoreError(error)
        }
    }

    /// Runs `body` in a transaction; it is durable when `done` is called, on a thread of the store.
    func write<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T,
        done: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        commits.submit(
            .init(
                run: { database in
                    let value = try body(database)
                    return { done(.success(value)) }
                },
                fail: { done(.failure($0)) }))
    }

    /// Runs `body` in a transaction; it is durable when this returns.
    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T)
        async throws(StoreError) -> T
    {
        let result = await withCheckedContinuation { continuation in
            write(body, done: { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    /// Remembers `value` if nothing is remembered under `name` yet; what is remembered now.
    public func remember(_ value: [UInt8], as name: String) async throws(StoreError) -> [UInt8] {
        try await write { database in
            try database.execute(
                sql: "INSERT INTO remembered (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                arguments: [name, Data(value)])
            let row = try Row.fetchOne(
                database, sql: "SELECT value FROM remembered WHERE name = ?", arguments: [name])
            guard let row else { throw StoreError.missing(what: "remembered value", name: name) }
            return try Columns(row: row, table: "remembered").bytes("value")
        }
    }
}
