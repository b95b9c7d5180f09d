import Glibc

/// SIGTERM and SIGINT, taken as a wish to stop between two requests rather than as the end.
struct StopSignal {
    private let signals: sigset_t

    /// From here on both signals wait until they are asked for.
    init() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigprocmask(SIG_BLOCK, &signals, nil)
        self.signals = signals
    }

    /// Waits for a signal; false if none came within so many microseconds.
    func arrives(withinMicroseconds microseconds: Int) -> Bool {
        var limit = timespec(tv_sec: 0, tv_nsec: microseconds * 1000)
        var signals = signals
        return unsafe sigtimedwait(&signals, nil, &limit) > 0
    }
}
