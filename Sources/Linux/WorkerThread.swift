import CLinux
import Glibc

/// A thread of the kernel's, for work that blocks.
public enum WorkerThread {
    /// Runs `body` on a thread of its own, which ends with it; nobody waits for that.
    ///
    /// - Parameter name: for `ps` and `top`, which show 15 bytes.
    public static func start(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let work = unsafe Unmanaged.passRetained(Work(name: name, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(&thread, nil, run, work.toOpaque())
        guard code == 0 else {
            unsafe work.release()
            throw SystemError(call: "pthread_create", subject: "", code: code)
        }
        pthread_detach(thread)
    }

    /// How far behind others a thread stands.
    public struct Priority: Equatable, Sendable {
        /// By how much its nice level is more than the caller's, 0 to 19.
        public var nice: Int
        /// Whether it gets to the disk only while nobody else wants to; otherwise it has the lowest priority
        /// of those that are served at all.
        public var waitsForIdleDisk: Bool

        /// Far behind, and served.
        public init(nice: Int = 10, waitsForIdleDisk: Bool = false) {
            self.nice = nice
            self.waitsForIdleDisk = waitsForIdleDisk
        }
    }

    /// Lets everything else go before this thread, from now on.
    public static func lowerPriority(_ priority: Priority = Priority()) {
        bootgate_lower_priority(Int32(clamping: priority.nice), priority.waitsForIdleDisk ? 1 : 0)
    }
}

private final class Work: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

/// A named function, since a closure would inherit its maker's isolation.
private func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let work = unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
    _ = unsafe bootgate_name_thread(work.name)
    work.body()
    return nil
}
