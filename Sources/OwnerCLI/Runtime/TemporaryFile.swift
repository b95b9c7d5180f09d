import Bytes
import Linux

/// A file beside its final place, which is gone when the value dies, or the process is interrupted, unless it was
/// moved there. One at a time.
final class TemporaryFile {
    let path: String
    private let file: FileDescriptor
    private var isInPlace = false

    /// For everybody to read, as far as this process's umask goes.
    init(beside target: String) throws(SystemError) {
        path = "\(target).\(Hex.encode(Random.bytes(6))).new"
        file = try FileDescriptor(path, .create(mode: 0o644))
        try File.removeWhenInterrupted(path)
    }

    deinit {
        if !isInPlace { try? File.remove(path) }
        try? File.removeWhenInterrupted(nil)
    }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        try file.write(bytes)
    }

    /// Forgets what was written.
    func clear() throws(SystemError) {
        try file.truncate()
    }

    /// Replaces `target` in one step, after everything has reached the disk.
    func move(to target: String) throws(SystemError) {
        try file.synchronize()
        try File.rename(path, to: target)
        isInPlace = true
    }
}
