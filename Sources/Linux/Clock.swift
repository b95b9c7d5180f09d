import Glibc

/// The kernel's clocks.
public enum Clock {
    /// Seconds since 1970 (UTC) by the system's clock; in a guest the host may set it as it likes.
    public static var realtime: Int64 {
        Int64(read(CLOCK_REALTIME).tv_sec)
    }

    /// Milliseconds since some moment before this process; never goes back.
    public static var monotonicMilliseconds: UInt64 {
        monotonicNanoseconds / 1_000_000
    }

    /// Nanoseconds since some moment before this process; never goes back.
    public static var monotonicNanoseconds: UInt64 {
        let time = read(CLOCK_MONOTONIC)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Pauses this thread.
    public static func sleep(milliseconds: UInt64) {
        var rest = timespec(
            tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        var left = timespec()
        while unsafe nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return time
    }
}
