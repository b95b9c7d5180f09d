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

    /// Lets everything else go before this thread, from now on: a nice level of 10 more, and the lowest I/O
    /// priority of those that are served at all.
    public static func lowerPriority() {
        bootgate_lower_priority(10)
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
