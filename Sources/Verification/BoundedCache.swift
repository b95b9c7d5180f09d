import Bytes
import Synchronization

/// Remembers at least the last `capacity` values that were used, and at most twice as many.
///
/// Two generations instead of a list of uses: when the young one is full it becomes the old one, and
/// what is used again moves back. Only what was found good may be put in, or strangers could push out
/// the fleet's certificates with rubbish.
final class BoundedCache<Value: Sendable>: Sendable {
    private struct Generations {
        var young: [FixedBytes<32>: Value] = [:]
        var old: [FixedBytes<32>: Value] = [:]
    }

    private let capacity: Int
    private let generations = Mutex(Generations())

    init(capacity: Int) {
        self.capacity = capacity
    }

    subscript(key: FixedBytes<32>) -> Value? {
        generations.withLock { generations in
            if let value = generations.young[key] { return value }
            guard let value = generations.old[key] else { return nil }
            insert(value, key, &generations)
            return value
        }
    }

    func insert(_ value: Value, for key: FixedBytes<32>) {
        generations.withLock { insert(value, key, &$0) }
    }

    private func insert(_ value: Value, _ key: FixedBytes<32>, _ generations: inout Generations) {
        if generations.young.count >= capacity {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[key] = value
    }
}
