import Bytes
import Glibc

/// Reads lines from a file or a pipe, in parts.
public struct LineReader: ~Copyable {
    private let file: FileDescriptor
    private let maximumLine: Int
    private let patience: Int32
    private var buffer = [UInt8](repeating: 0, count: 65536)
    private var filled = 0
    private var offset = 0

    /// Reads `file` from where it stands.
    ///
    /// - Parameter maximumLine: the longest line, in bytes; a longer one is `EMSGSIZE`.
    /// - Parameter patience: for how many milliseconds a pipe may be silent before that is `ETIMEDOUT`.
    public init(_ file: consuming FileDescriptor, maximumLine: Int, patience: Int32 = -1) {
        self.file = file
        self.maximumLine = maximumLine
        self.patience = patience
    }

    /// Puts the next line into `line`, without its end; false behind the last one.
    public mutating func next(into line: inout [UInt8]) throws(SystemError) -> Bool {
        line.removeAll(keepingCapacity: true)
        while true {
            let start = offset
            offset = buffer.firstIndex(of: 0x0a, in: offset..<filled) ?? filled
            guard line.count + offset - start <= maximumLine else {
                throw SystemError(call: "read", subject: "", code: EMSGSIZE)
            }
            line.append(contentsOf: buffer[start..<offset])
            if offset < filled {
                offset += 1
                return true
            }
            try wait()
            filled = try file.read(into: &buffer)
            offset = 0
            if filled == 0 { return !line.isEmpty }
        }
    }

    private borrowing func wait() throws(SystemError) {
        guard patience >= 0 else { return }
        var watched = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
        while true {
            let count = unsafe poll(&watched, 1, patience)
            if count > 0 { return }
            guard count < 0, errno == EINTR else {
                throw count == 0
                    ? SystemError(call: "poll", subject: "", code: ETIMEDOUT) : .current("poll")
            }
        }
    }
}
