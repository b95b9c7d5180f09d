import Synchronization

/// How many ledger rows strangers may cause: evidence that is not authentic costs its sender nothing,
/// so the owner sees the first of each minute and a count of the rest.
final class RowBudget: Sendable {
    private struct Minute {
        var number: Int64 = 0
        var total = 0
        var byAddress: [String: Int] = [:]
    }

    private let perAddress: Int
    private let total: Int
    private let minute = Mutex(Minute())

    init(perAddress: Int, total: Int) {
        self.perAddress = perAddress
        self.total = total
    }

    /// Whether `address` may cause one more row at `time` (seconds).
    func take(_ address: String, at time: Int64) -> Bool {
        minute.withLock { minute in
            if minute.number != time / 60 { minute = Minute(number: time / 60) }
            guard minute.total < total, minute.byAddress[address, default: 0] < perAddress else {
                return false
            }
            minute.total += 1
            minute.byAddress[address, default: 0] += 1
            return true
        }
    }
}
