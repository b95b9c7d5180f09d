import CLinux
import Glibc

/// An open directory, whose entries come one by one and are opened below it without following links.
///
/// A directory of a million entries needs no more memory than one of ten.
@safe public struct DirectoryStream: ~Copyable {
    /// What an entry is.
    public enum Kind: Sendable {
        /// A directory.
        case directory
        /// A regular file.
        case regular
        /// A link, a device, a FIFO or a socket.
        case other
    }

    /// Which directory it is, by whatever path it was reached.
    public struct Identity: Hashable, Sendable {
        /// Number of its file system.
        public let device: UInt64
        let inode: UInt64
    }

    private let stream: OpaquePointer
    /// Which directory it is.
    public let identity: Identity

    /// Opens `path`, which may be or hold links.
    public init(_ path: String) throws(SystemError) {
        let opened = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw .current("open", path) }
        try self.init(owning: opened)
    }

    /// Opens the directory `name` of `parent`; a link is refused.
    public init(
        _ name: [CChar], in parent: borrowing DirectoryStream
    ) throws(SystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW
        let opened = unsafe openat(parent.descriptor, name, flags)
        guard opened >= 0 else { throw .current("open") }
        try self.init(owning: opened)
    }

    /// Takes over the descriptor of a directory.
    private init(owning directory: Int32) throws(SystemError) {
        var status = stat()
        guard unsafe fstat(directory, &status) == 0, let stream = unsafe fdopendir(directory) else {
            let failure = SystemError.current("fdopendir")
            close(directory)
            throw failure
        }
        unsafe self.stream = stream
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    deinit {
        unsafe closedir(stream)
    }

    private var descriptor: Int32 { unsafe dirfd(stream) }

    /// What is known of the directory `name` before it is opened: nothing is mounted for that, and no server is
    /// asked, since one that is gone would be waited for without an end.
    public borrowing func place(of name: [CChar]) throws(SystemError) -> DirectoryPlace {
        var device: UInt64 = 0
        var mode: UInt32 = 0
        var mount: UInt64 = 0
        guard unsafe bootgate_glimpse(descriptor, name, &device, &mode, &mount) == 0 else {
            throw .current("statx")
        }
        if device == identity.device || bootgate_major(dev_t(device)) != 0 {
            return .disk(device: device)
        }
        switch try DirectoryPlace.fileSystem(ofMount: mount) {
        // These number their volumes themselves.
        case "btrfs", "bcachefs", "zfs": return .disk(device: device)
        case "autofs": return .automount
        default: return mode & 0o7777 == 0 ? .cover : .other
        }
    }

    /// Puts the next name and a zero byte into `name`, and says what has it; nil at the end.
    public borrowing func next(into name: inout [CChar]) throws(SystemError) -> Kind? {
        var found: UnsafePointer<CChar>?
        var kind: UInt8 = 0
        let result = unsafe bootgate_next_entry(
            UnsafeMutableRawPointer(stream), &found, &kind)
        guard result >= 0 else { throw .current("readdir") }
        guard result == 1, let found = unsafe found else { return nil }
        name.removeAll(keepingCapacity: true)
        unsafe name.append(
            contentsOf: UnsafeBufferPointer(start: found, count: strlen(found) + 1))
        switch Int(kind) {
        case Int(DT_DIR): return .directory
        case Int(DT_REG): return .regular
        case Int(DT_UNKNOWN): return try kindByStatus(name)
        default: return .other
        }
    }

    /// What file systems without kinds in their directories say when they are asked.
    private borrowing func kindByStatus(_ name: [CChar]) throws(SystemError) -> Kind {
        var status = stat()
        guard unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            return .other
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .directory
        case S_IFREG: return .regular
        default: return .other
        }
    }

    /// Opens a file that ``next(into:)`` called regular. Should it be another thing by now, nothing waits:
    /// a link is refused, and a FIFO opens at once. ``FileMark`` tells.
    public borrowing func openFile(_ name: [CChar]) throws(SystemError) -> FileDescriptor {
        let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        let opened = unsafe openat(descriptor, name, flags)
        guard opened >= 0 else { throw .current("open") }
        return FileDescriptor(owning: opened)
    }
}
