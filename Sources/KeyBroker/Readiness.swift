import Linux
import Logging
import Synchronization

/// Tells the service manager once every listener listens.
final class Readiness: Sendable {
    private let missing: Mutex<Int>
    private let log: Logger

    init(listeners: Int, log: Logger) {
        missing = Mutex(listeners)
        self.log = log
    }

    func oneListens() {
        let isReady = missing.withLock { missing in
            missing -= 1
            return missing == 0
        }
        guard isReady else { return }
        log.info("ready")
        ServiceManager.notify("READY=1\nSTATUS=taking launches")
    }
}
