import Dispatch
import GRDB
import Synchronization

/// Puts whatever waits into one transaction, so that many launches share one flush to disk.
///
/// The first piece of work that finds nothing waiting schedules a batch; all that comes while the disk
/// is busy goes into the next. A piece that fails is rolled back alone. Nobody hears of success
/// before the commit.
final class GroupCommit: Sendable {
    /// One piece of work: runs inside the transaction, and what it returns runs after the commit.
    struct Work: Sendable {
        var run: @Sendable (Database) throws -> @Sendable () -> Void
        var fail: @Sendable (StoreError) -> Void
    }

    /// Bounds how long the first in a batch waits for the last.
    private static let largestBatch = 512

    private let database: DatabasePool
    private let queue = DispatchQueue(label: "bootgate.ledger")
    private let waiting = Mutex<[Work]>([])
    private let observe: @Sendable (_ seconds: Double, _ count: Int) -> Void
    private let lost: @Sendable () -> Void

    /// `lost` is called where a whole transaction came to nothing.
    init(
        _ database: DatabasePool,
        observe: @escaping @Sendable (_ seconds: Double, _ count: Int) -> Void,
        lost: @escaping @Sendable () -> Void
    ) {
        self.database = database
        self.observe = observe
        self.lost = lost
    }

    func submit(_ work: Work) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(work)
            return waiting.count == 1
        }
        if isFirst { queue.async { self.drain() } }
    }

    private func drain() {
        let (batch, isMore) = waiting.withLock { waiting in
            let batch = Array(waiting.prefix(Self.largestBatch))
            waiting.removeFirst(batch.count)
            return (batch, !waiting.isEmpty)
        }
        if isMore { queue.async { self.drain() } }
        commit(batch)
    }

    private func commit(_ batch: [Work]) {
        let start = ContinuousClock.now
        var finished: [@Sendable () -> Void] = []
        do {
            finished = try database.writeWithoutTransaction { database in
                var results: [@Sendable () -> Void] = []
                try database.inTransaction(.immediate) {
                    results = try batch.map { work in try Self.perform(work, database) }
                    return .commit
                }
                return results
            }
        } catch {
            lost()
            let reason = StoreError(error)
            finished = batch.map { work in { work.fail(reason) } }
        }
        let took = start.duration(to: .now)
        let parts = took.components
        observe(Double(parts.seconds) + Double(parts.attoseconds) / 1e18, batch.count)
        for call in finished { call() }
    }

    /// Throws only where the transaction as a whole is lost.
    private static func perform(
        _ work: Work, _ database: Database
    ) throws -> @Sendable () -> Void {
        var result: (@Sendable () -> Void)?
        do {
            try database.inSavepoint {
                result = try work.run(database)
                return .commit
            }
        } catch {
            guard database.isInsideTransaction else { throw error }
            let reason = StoreError(error)
            return { work.fail(reason) }
        }
        return result ?? {}
    }
}

extension StoreError {
    /// Wraps what GRDB threw; its message names SQLite's code and never a bound value.
    init(_ error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError:
            self = .unavailable(
                reason: "\(error.resultCode): \(error.message ?? "no message of SQLite")")
        default: self = .unavailable(reason: "\(error)")
        }
    }
}
