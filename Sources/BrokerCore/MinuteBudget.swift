import Synchronization

/// How often something may be done in a minute, by each and by all.
///
/// Ledger rows of strangers: evidence that is not authentic costs its sender nothing, so the owner sees the first of
/// each minute and a count of the rest. Reports of a VM: whoever is root in it chooses what they cost.
final class MinuteBudget: Sendable {
    private struct Minute {
        var number: Int64 = 0
        var total = 0
        var byName: [String: Int] = [:]
    }

    private let each: Int
    private let total: Int
    private let minute = Mutex(Minute())

    init(each: Int, total: Int) {
        self.each = each
        self.total = total
    }

    /// Whether `name`, an address or a VM, may do it once more at `time` (seconds).
    func take(_ name: String, at time: Int64) -> Bool {
        minute.withLock { minute in
            if minute.number != time / 60 { minute = Minute(number: time / 60) }
            guard minute.total < total, minute.byName[name, default: 0] < each else {
                return false
            }
            minute.total += 1
            minute.byName[name, default: 0] += 1
            return true
        }
    }
}
