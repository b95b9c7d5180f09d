import Bytes
import CLinux
import Glibc

/// Keeps this process's secrets out of core files, backtraces, swap, children and the reach of
/// `ptrace`.
///
/// - Throws: `SystemError` where the arena cannot be locked, which is mostly a matter of `RLIMIT_MEMLOCK`.
public func hardenProcess() throws(SystemError) {
    guard bootgate_set_undumpable() == 0 else { throw .current("prctl") }
    guard bootgate_forbid_core_files() == 0 else { throw .current("setrlimit") }
    guard bootgate_forbid_backtraces() == 0 else { throw .current("signal") }
    let region = unsafe SecretArena.shared.region
    guard unsafe bootgate_protect_memory(region.baseAddress, region.count) == 0 else {
        throw .current("mlock", "the secret arena")
    }
}

/// What the process was started with, and how it ends.
public enum Process {
    /// The value of an environment variable.
    public static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Ends the process. Values that still live are not destroyed: wipe before.
    public static func exit(_ status: Int32) -> Never {
        Glibc.exit(status)
    }

    /// The number of the user this process acts as.
    public static var userID: UInt32 { geteuid() }

    /// This process's number.
    public static var id: Int32 { getpid() }

    /// The number of the user called `name`, or nil where there is none.
    public static func userID(named name: String) -> UInt32? {
        var user: UInt32 = 0
        return unsafe bootgate_user_id(name, &user) == 0 ? user : nil
    }

    /// Peak resident memory so far, in KiB.
    public static var peakResidentKiB: Int {
        var usage = rusage()
        unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage.ru_maxrss
    }
}

/// The service manager that started this process, if one did (sd_notify(3)).
public enum ServiceManager {
    /// Sends lines such as `READY=1` or `STOPPING=1`; without a service manager does nothing.
    public static func notify(_ message: String) {
        guard let socket = Process.environment("NOTIFY_SOCKET") else { return }
        unsafe bootgate_notify(socket, message)
    }
}
