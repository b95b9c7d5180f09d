import Dispatch
import Synchronization

/// A few threads that logs are hashed on, so that no event loop waits for one.
///
/// A report stays with the queue that it was given, which keeps its parts in order.
final class ReportThreads: Sendable {
    private let queues: [DispatchQueue]
    private let turn = Atomic<Int>(0)

    init(count: Int) {
        queues = (0..<count).map { DispatchQueue(label: "bootgate.reports.\($0)") }
    }

    /// The queue whose turn it is.
    func next() -> DispatchQueue {
        let (turn, _) = turn.wrappingAdd(1, ordering: .relaxed)
        return queues[Int(UInt(bitPattern: turn) % UInt(queues.count))]
    }
}
