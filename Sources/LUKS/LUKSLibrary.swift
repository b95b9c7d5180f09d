import Synchronization

/// libcryptsetup as a whole: its random generator, crypto backend and device-mapper counters are
/// global and know no threads.
enum LUKSLibrary {
    private static let lock = Mutex(())

    /// Runs one call, alone in the process.
    static func call<Value>(_ body: () -> Value) -> Value {
        lock.withLock { _ in body() }
    }
}
