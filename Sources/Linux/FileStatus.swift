import Glibc

/// Who owns an open file, and who may read it.
public struct FileStatus: Equatable, Sendable {
    /// The number of the owner.
    public let owner: UInt32
    /// The permission bits, such as 0600.
    public let mode: UInt32
    /// Whether it is a regular file.
    public let isRegular: Bool

    /// Asks the kernel about an open file.
    public init(of file: borrowing FileDescriptor) throws(SystemError) {
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw .current("fstat") }
        owner = status.st_uid
        mode = status.st_mode & 0o7777
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }
}

extension File {
    /// Changes the permission bits of `path`.
    public static func setMode(_ mode: UInt32, of path: String) throws(SystemError) {
        guard unsafe chmod(path, mode) == 0 else { throw .current("chmod", path) }
    }
}

extension Process {
    /// Makes every file that this process creates unreadable for others from the start.
    public static func keepFilesPrivate() {
        _ = umask(0o077)
    }

    /// Raises the limit on open files to what the administrator allows; gives that number.
    public static func raiseOpenFileLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0
        else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
