import Glibc

/// A system call that failed: which, on what, and the kernel's reason.
public struct SystemError: Error, Equatable, Sendable {
    /// The call, in its manual page's spelling.
    public let call: String
    /// The path or peer it was about; empty where there is none.
    public let subject: String
    /// The value of `errno`.
    public let code: Int32

    /// Names a failure of our own making, such as a file that is larger than it may be.
    public init(call: String, subject: String, code: Int32) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// The failure that `errno` tells of at this moment.
    static func current(_ call: String, _ subject: String = "") -> SystemError {
        SystemError(call: call, subject: subject, code: errno)
    }

    /// The kernel's reason in words; empty for code 0.
    public var reason: String { code == 0 ? "" : unsafe String(cString: strerror(code)) }

    /// The same failure, said of `subject`.
    func about(_ subject: String) -> SystemError {
        SystemError(call: call, subject: subject, code: code)
    }

    /// Whether the file or directory does not exist.
    public var isNotFound: Bool { code == ENOENT || code == ENOTDIR }

    /// Whether the resource is in use or not ready, so that trying again may help.
    public var isTransient: Bool { code == EBUSY || code == EAGAIN || code == EINTR }

    /// Whether nothing answers behind the interface: no driver, no such device.
    public var isNoDevice: Bool { code == ENXIO || code == ENODEV || code == EPERM }

    /// Whether a symbolic link stood where none is followed.
    public var isLink: Bool { code == ELOOP }

    /// Whether permission is missing.
    public var isForbidden: Bool { code == EPERM || code == EACCES }

    /// Whether the kernel called the argument invalid.
    public var isInvalidArgument: Bool { code == EINVAL }

    /// Whether something of that name is there already.
    public var alreadyExists: Bool { code == EEXIST }
}

extension SystemError: CustomStringConvertible {
    /// One line: subject, call and the kernel's reason.
    public var description: String {
        [subject, call, reason].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
