public import Bytes
import CLinux
import Glibc

/// Whole files and directories by path.
public enum File {
    /// The content of `path`; more than `limit` bytes are refused with `EFBIG`.
    public static func read(_ path: String, atMost limit: Int) throws(SystemError) -> [UInt8] {
        do throws(SystemError) {
            let file = try FileDescriptor(path, .read)
            return try file.readToEnd(atMost: limit)
        } catch {
            throw error.about(path)
        }
    }

    /// The content of a secret file, straight into the arena.
    public static func readSecret(
        _ path: String, atMost limit: Int
    ) throws(SystemError) -> SecretBytes {
        do throws(SystemError) {
            let file = try FileDescriptor(path, .read)
            return try readSecret(descriptor: file.rawValue, atMost: limit)
        } catch {
            throw error.about(path)
        }
    }

    /// Reads a descriptor that the caller keeps, to its end, straight into the arena.
    public static func readSecret(
        descriptor: Int32, atMost limit: Int
    ) throws(SystemError) -> SecretBytes {
        var count = 0
        let whole = try unsafe SecretBytes(count: limit + 1) { block throws(SystemError) in
            while count < block.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: block[count...])
                let got = unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw .current("read") }
                if got == 0 { return }
                count += got
            }
        }
        guard count <= limit else { throw SystemError(call: "read", subject: "", code: EFBIG) }
        return whole.prefix(count)
    }

    /// Replaces `path` by `bytes` in one step: whoever looks sees the old file or the new one, also
    /// after a power cut.
    public static func writeAtomically(
        _ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600
    ) throws(SystemError) {
        try replace(path, mode: mode) { file throws(SystemError) in try file.write(bytes) }
    }

    /// As ``writeAtomically(_:_:mode:)`` with mode 0600, for a file that is allowed to hold a secret.
    public static func writeSecretAtomically(
        _ path: String, _ secret: borrowing SecretBytes
    ) throws(SystemError) {
        let temporary = temporaryName(for: path)
        do throws(SystemError) {
            let file = try FileDescriptor(temporary, .create(mode: 0o600))
            try file.write(secret)
            try file.synchronize()
            try rename(temporary, to: path)
        } catch {
            unsafe unlink(temporary)
            throw error.about(path)
        }
    }

    /// Makes `path` with `bytes` in one step, also across a power cut.
    ///
    /// - Throws: `EEXIST` where something is there already, which is left as it is.
    public static func writeNew(
        _ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600
    ) throws(SystemError) {
        try makeNew(path, mode: mode) { file throws(SystemError) in try file.write(bytes) }
    }

    /// As ``writeNew(_:_:mode:)`` with mode 0600, for a file that is allowed to hold a secret.
    public static func writeNewSecret(
        _ path: String, _ secret: borrowing SecretBytes
    ) throws(SystemError) {
        // A closure could not borrow the secret.
        let temporary = temporaryName(for: path)
        defer { unsafe unlink(temporary) }
        do throws(SystemError) {
            let file = try FileDescriptor(temporary, .create(mode: 0o600))
            try file.write(secret)
            try file.synchronize()
            try link(temporary, to: path)
        } catch {
            throw error.about(path)
        }
    }

    /// Writes `bytes` to an existing file or kernel attribute in one call, and commits them by closing.
    public static func writeAttribute(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            let file = try FileDescriptor(path, .write)
            try file.writeOnce(bytes)
            try file.closeChecked()
        } catch {
            throw error.about(path)
        }
    }

    /// Removes a file.
    public static func remove(_ path: String) throws(SystemError) {
        guard unsafe unlink(path) == 0 else { throw .current("unlink", path) }
    }

    /// Has SIGINT, SIGTERM and SIGHUP remove `path` before they end the process; nil takes that back. One file
    /// at a time.
    public static func removeWhenInterrupted(_ path: String?) throws(SystemError) {
        guard unsafe bootgate_remove_on_end(path) == 0 else { throw .current("signal", path ?? "") }
    }

    /// Whether anything is at `path`.
    public static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func names(in directory: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw .current("opendir", directory) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a directory, whose parent must exist.
    public static func makeDirectory(
        _ path: String, mode: UInt32 = 0o755
    ) throws(SystemError) {
        guard unsafe mkdir(path, mode) == 0 else { throw .current("mkdir", path) }
    }

    /// Makes a directory and its parents where they do not exist yet; others may be making them too.
    public static func makeDirectories(
        _ path: String, mode: UInt32 = 0o755
    ) throws(SystemError) {
        var soFar = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            soFar += "/\(part)"
            guard !exists(soFar) else { continue }
            guard unsafe mkdir(soFar, mode) != 0 else { continue }
            let fault = SystemError.current("mkdir", soFar)
            // Somebody else was faster, or something that is no directory is in the way.
            guard fault.code == EEXIST, exists("\(soFar)/.") else { throw fault }
        }
    }

    /// Gives a file or directory to a user.
    public static func changeOwner(_ path: String, to user: UInt32) throws(SystemError) {
        guard unsafe chown(path, user, gid_t.max) == 0 else { throw .current("chown", path) }
    }

    /// Removes an empty directory.
    public static func removeDirectory(_ path: String) throws(SystemError) {
        guard unsafe rmdir(path) == 0 else { throw .current("rmdir", path) }
    }

    private static func replace(
        _ path: String, mode: UInt32,
        _ body: (borrowing FileDescriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        let temporary = temporaryName(for: path)
        do throws(SystemError) {
            let file = try FileDescriptor(temporary, .create(mode: mode))
            try body(file)
            // The mode asked for, whatever the umask is.
            guard fchmod(file.rawValue, mode) == 0 else { throw SystemError.current("fchmod") }
            try file.synchronize()
            try rename(temporary, to: path)
        } catch {
            unsafe unlink(temporary)
            throw error.about(path)
        }
    }

    private static func makeNew(
        _ path: String, mode: UInt32,
        _ body: (borrowing FileDescriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        let temporary = temporaryName(for: path)
        defer { unsafe unlink(temporary) }
        do throws(SystemError) {
            let file = try FileDescriptor(temporary, .create(mode: mode))
            try body(file)
            guard fchmod(file.rawValue, mode) == 0 else { throw SystemError.current("fchmod") }
            try file.synchronize()
            try link(temporary, to: path)
        } catch {
            throw error.about(path)
        }
    }

    /// Unlike a rename, refuses to take the place of another file.
    private static func link(_ from: String, to path: String) throws(SystemError) {
        guard unsafe Glibc.link(from, path) == 0 else { throw .current("link", path) }
        try synchronizeDirectory(of: path)
    }

    /// Gives a file another name, replacing what has it; the name is there after a power cut too.
    public static func rename(_ from: String, to path: String) throws(SystemError) {
        guard unsafe Glibc.rename(from, path) == 0 else { throw .current("rename", path) }
        try synchronizeDirectory(of: path)
    }

    /// The new name is in the directory, which has to reach the disk as well.
    private static func synchronizeDirectory(of path: String) throws(SystemError) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[...$0]) } ?? "."
        try FileDescriptor(directory, .read).synchronize()
    }

    private static func temporaryName(for path: String) -> String {
        "\(path).\(Hex.encode(Random.bytes(6))).new"
    }
}
