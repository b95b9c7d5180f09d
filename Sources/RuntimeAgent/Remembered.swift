import Linux
import Synchronization

/// An answer that is good enough for a while, so that it costs little to ask often.
final class Remembered<Value: Sendable>: Sendable {
    private let freshness: UInt64
    private let last = Mutex<(value: Value, time: UInt64)?>(nil)

    /// - Parameter freshness: how long an answer is good enough, in milliseconds.
    init(freshness: UInt64) {
        self.freshness = freshness
    }

    /// The answer, where it is still good enough at `now`; it may have been given after that moment.
    func value(at now: UInt64 = Clock.monotonicMilliseconds) -> Value? {
        last.withLock { last in
            guard let last, now < last.time + freshness else { return nil }
            return last.value
        }
    }

    /// Keeps an answer that was given at `time`.
    func remember(_ value: Value, at time: UInt64 = Clock.monotonicMilliseconds) {
        last.withLock { $0 = (value, time) }
    }

    /// Drops the answer, because something is about to change it.
    func forget() {
        last.withLock { $0 = nil }
    }
}
