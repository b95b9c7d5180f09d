import Glibc

/// A directory whose files are read without ever leaving it: no symbolic link is followed below it, and
/// nothing but a regular file is read.
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
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/"))
        else { throw SystemError.invalid }
        return try open(directory, name, flags | O_NOFOLLOW)
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
