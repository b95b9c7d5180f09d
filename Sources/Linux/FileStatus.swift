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

/// What an open file looks like at a moment; another mark says that it was changed since.
public struct FileMark: Equatable, Sendable {
    /// Its size, in bytes.
    public let size: Int64
    /// Whether it is a regular file.
    public let isRegular: Bool
    /// Whether it is empty and nobody may do anything with it: so a service manager covers what a service is not
    /// to see.
    public let isCover: Bool
    private let seconds: Int
    private let nanoseconds: Int
    private let statusSeconds: Int
    private let statusNanoseconds: Int

    /// Asks the kernel about an open file.
    public init(of file: borrowing FileDescriptor) throws(SystemError) {
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw .current("fstat") }
        size = Int64(status.st_size)
        isRegular = status.st_mode & S_IFMT == S_IFREG
        isCover = status.st_size == 0 && status.st_mode & 0o7777 == 0
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
        statusSeconds = status.st_ctim.tv_sec
        statusNanoseconds = status.st_ctim.tv_nsec
    }
}

extension File {
    /// How many files and directories the file system at `path` has, where it counts them.
    public static func countOfInodes(at path: String) -> Int? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0, status.f_files > status.f_ffree else {
            return nil
        }
        return Int(clamping: status.f_files - status.f_ffree)
    }

    /// Where a symbolic link leads; nil for anything else.
    public static func linkTarget(_ path: String) -> String? {
        var target = [UInt8](repeating: 0, count: 4096)
        let count = unsafe target.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe readlink(path, base, buffer.count)
        }
        return count > 0 ? String(decoding: target.prefix(count), as: UTF8.self) : nil
    }

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
