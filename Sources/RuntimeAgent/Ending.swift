import Linux
import ServiceLifecycle

/// Ends the process even where something that blocks does not end after SIGTERM: a service manager may take
/// minutes, and hardware may never answer.
struct Ending: Service {
    /// How long everything has, in milliseconds.
    let patience: UInt64
    /// Ends the process.
    let leave: @Sendable () -> Void

    func run() async throws {
        try await gracefulShutdown()
        ServiceManager.notify("STOPPING=1")
        // A thread, since those of tasks may all be waiting.
        try WorkerThread.start(name: "ending") { [self] in
            Clock.sleep(milliseconds: patience)
            leave()
        }
    }
}
