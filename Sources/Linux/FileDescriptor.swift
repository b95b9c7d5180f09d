public import Bytes
import CLinux
import Glibc

/// An open file, closed when the value dies.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for calls of other libraries; it must not outlive the value.
    public let rawValue: Int32

    /// What an opened file is used for.
    public enum Access: Sendable {
        /// Reading only; the file must exist.
        case read
        /// Reading only; a link in the last place is refused, and a FIFO does not hold the caller.
        case readUnlinked
        /// Writing only; the file must exist.
        case write
        /// Both; the file must exist.
        case readWrite
        /// A new file for writing, which must not exist yet.
        case create(mode: UInt32)
    }

    /// Takes over a descriptor that nothing else closes.
    public init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Opens `path`; the descriptor does not survive `exec`.
    public init(_ path: String, _ access: Access) throws(SystemError) {
        let opened =
            switch access {
            case .read: unsafe bootgate_open(path, O_RDONLY | O_NOCTTY, 0)
            case .readUnlinked:
                unsafe bootgate_open(path, O_RDONLY | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0)
            case .write: unsafe bootgate_open(path, O_WRONLY | O_NOCTTY, 0)
            case .readWrite: unsafe bootgate_open(path, O_RDWR | O_NOCTTY, 0)
            case .create(let mode):
                unsafe bootgate_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
            }
        guard opened >= 0 else { throw .current("open", path) }
        rawValue = opened
    }

    deinit {
        close(rawValue)
    }

    /// Reads up to `count` bytes; fewer are no sign of the end, none are.
    public borrowing func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        var result: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while true {
                let got = unsafe Glibc.read(rawValue, buffer.baseAddress, count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { result = .current("read") }
                filled = max(0, got)
                return
            }
        }
        if let result { throw result }
        return bytes
    }

    /// Reads into the front of `buffer` and gives the number of bytes; 0 is the end of the file.
    public borrowing func read(into buffer: inout [UInt8]) throws(SystemError) -> Int {
        while true {
            let got = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(rawValue, bytes.baseAddress, bytes.count)
            }
            if got >= 0 { return got }
            guard errno == EINTR else { throw .current("read") }
        }
    }

    /// Goes back to the start of the file.
    public borrowing func rewind() throws(SystemError) {
        guard lseek(rawValue, 0, SEEK_SET) == 0 else { throw .current("lseek") }
    }

    /// Takes everything out of the file, and goes back to its start.
    public borrowing func truncate() throws(SystemError) {
        guard ftruncate(rawValue, 0) == 0 else { throw .current("ftruncate") }
        try rewind()
    }

    /// Tells the kernel that the file is read from start to end.
    public borrowing func willReadSequentially() {
        posix_fadvise(rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Reads to the end of the file; more than `limit` bytes are `EFBIG`.
    public borrowing func readToEnd(atMost limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let part = try read(upTo: min(65536, limit - bytes.count + 1))
            if part.isEmpty { return bytes }
            bytes += part
            if bytes.count > limit { throw SystemError(call: "read", subject: "", code: EFBIG) }
        }
    }

    /// Reads `count` bytes at `offset`, or fewer where the file ends before.
    public borrowing func readAvailable(
        at offset: UInt64, upTo count: Int
    ) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var failure: SystemError?
            let missing = count - bytes.count
            let position = off_t(offset) + off_t(bytes.count)
            let part = unsafe [UInt8](unsafeUninitializedCapacity: missing) { buffer, filled in
                let got = unsafe pread(rawValue, buffer.baseAddress, missing, position)
                if got < 0 { failure = .current("pread") }
                filled = max(0, got)
            }
            if let failure {
                if failure.code == EINTR { continue }
                throw failure
            }
            if part.isEmpty { break }
            bytes += part
        }
        return bytes
    }

    /// Reads exactly `count` bytes at `offset`; fewer are `EIO`.
    public borrowing func read(
        at offset: UInt64, count: Int
    ) throws(SystemError) -> [UInt8] {
        let bytes = try readAvailable(at: offset, upTo: count)
        guard bytes.count == count else {
            throw SystemError(call: "pread", subject: "", code: EIO)
        }
        return bytes
    }

    /// Writes all of `bytes`.
    public borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        try unsafe bytes.span.withUnsafeBytes { buffer throws(SystemError) in
            try unsafe writeAll(buffer)
        }
    }

    /// Writes all of a secret, straight from the arena.
    public borrowing func write(_ secret: borrowing SecretBytes) throws(SystemError) {
        try unsafe secret.withBytes { buffer throws(SystemError) in
            try unsafe writeAll(buffer)
        }
    }

    /// Gives all bytes to one `write` call, as kernel attributes want it; a short write is `EIO`.
    public borrowing func writeOnce(_ bytes: [UInt8]) throws(SystemError) {
        let written = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(rawValue, buffer.baseAddress, buffer.count)
        }
        guard written >= 0 else { throw .current("write") }
        guard written == bytes.count else {
            throw SystemError(call: "write", subject: "", code: EIO)
        }
    }

    /// Waits until all data is on the disk.
    public borrowing func synchronize() throws(SystemError) {
        guard fsync(rawValue) == 0 else { throw .current("fsync") }
    }

    /// Closes now and reports what a silent close would hide; configfs commits at this moment.
    public consuming func closeChecked() throws(SystemError) {
        let result = close(rawValue)
        let failure = SystemError.current("close")
        discard self
        guard result == 0 else { throw failure }
    }

    private borrowing func writeAll(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
        var offset = 0
        while offset < buffer.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
            let written = unsafe Glibc.write(rawValue, rest.baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .current("write") }
            offset += written
        }
    }
}
