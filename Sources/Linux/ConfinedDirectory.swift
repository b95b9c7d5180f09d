import Bytes
import Glibc

/// A directory whose files are read and written without ever leaving it: no symbolic link is followed
/// below it, and nothing but a regular file is read.
public struct ConfinedDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// Names a directory, which need not exist yet; every read looks anew.
    public init(_ path: String) {
        self.path = path
    }

    /// The content of a file; more than `limit` bytes are `EFBIG`.
    ///
    /// - Parameter components: names of directories and of the file in the last place. None of them
    ///   may hold a slash or be `.` or `..`.
    public func read(_ components: [String], atMost limit: Int) throws(SystemError) -> [UInt8] {
        let subject = ([path] + components).joined(separator: "/")
        do throws(SystemError) {
            return try readFile(components, atMost: limit)
        } catch {
            throw error.about(subject)
        }
    }

    /// Replaces a file in one step, also across a power cut; makes the directories it lies in.
    ///
    /// - Parameter components: as for ``read(_:atMost:)``.
    /// - Parameter mode: of the file; new directories are searchable by those who may read it.
    public func write(
        _ components: [String], _ bytes: [UInt8], mode: UInt32 = 0o644
    ) throws(SystemError) {
        let subject = ([path] + components).joined(separator: "/")
        do throws(SystemError) {
            try writeFile(components, bytes, mode)
        } catch {
            throw error.about(subject)
        }
    }

    private func writeFile(
        _ components: [String], _ bytes: [UInt8], _ mode: UInt32
    ) throws(SystemError) {
        try File.makeDirectories(path)
        var directory = try Self.open(AT_FDCWD, path, O_DIRECTORY)
        let directoryMode: UInt32 = mode & 0o044 == 0 ? 0o700 : 0o755
        for name in components.dropLast() {
            try Self.check(name)
            if unsafe mkdirat(directory.rawValue, name, directoryMode) != 0, errno != EEXIST {
                throw .current("mkdir")
            }
            directory = try Self.open(directory.rawValue, named: name, O_DIRECTORY)
        }
        guard let name = components.last else { throw SystemError.invalid }
        try Self.check(name)
        let temporary = "\(name).\(Hex.encode(Random.bytes(6))).new"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let opened = unsafe openat(directory.rawValue, temporary, flags, mode)
        guard opened >= 0 else { throw .current("open") }
        do throws(SystemError) {
            let file = FileDescriptor(owning: opened)
            try file.write(bytes)
            // The mode asked for, whatever the umask is.
            guard fchmod(file.rawValue, mode) == 0 else { throw SystemError.current("fchmod") }
            try file.synchronize()
            guard unsafe renameat(directory.rawValue, temporary, directory.rawValue, name) == 0
            else { throw SystemError.current("rename") }
        } catch {
            unsafe unlinkat(directory.rawValue, temporary, 0)
            throw error
        }
        try directory.synchronize()
    }

    private func readFile(
        _ components: [String], atMost limit: Int
    ) throws(SystemError) -> [UInt8] {
        var directory = try Self.open(AT_FDCWD, path, O_DIRECTORY)
        for name in components.dropLast() {
            directory = try Self.open(directory.rawValue, named: name, O_DIRECTORY)
        }
        guard let name = components.last else { throw SystemError.invalid }
        // Without O_NONBLOCK a FIFO would hold this thread until somebody writes to it.
        let file = try Self.open(directory.rawValue, named: name, O_NONBLOCK)
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw .current("fstat") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError.invalid }
        return try file.readToEnd(atMost: limit)
    }

    private static func open(
        _ directory: Int32, named name: String, _ flags: Int32
    ) throws(SystemError) -> FileDescriptor {
        try check(name)
        return try open(directory, name, flags | O_NOFOLLOW)
    }

    private static func check(_ name: String) throws(SystemError) {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/"))
        else { throw SystemError.invalid }
    }

    private static func open(
        _ directory: Int32, _ name: String, _ flags: Int32
    ) throws(SystemError) -> FileDescriptor {
        let opened = unsafe openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags)
        guard opened >= 0 else { throw .current("open") }
        return FileDescriptor(owning: opened)
    }
}

extension SystemError {
    fileprivate static let invalid = SystemError(call: "open", subject: "", code: EINVAL)
}
