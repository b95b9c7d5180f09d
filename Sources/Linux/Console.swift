import Glibc

/// Lines for a person.
public enum Console {
    /// Writes one line to standard output, at once.
    public static func print(_ line: String) {
        write("\(line)\n", to: STDOUT_FILENO)
    }

    /// Writes one line to standard error, at once.
    public static func printError(_ line: String) {
        write("\(line)\n", to: STDERR_FILENO)
    }

    /// Puts `line` in the place of the line that a terminal at standard error shows last.
    public static func replaceErrorLine(_ line: String) {
        write("\r\u{1b}[K\(line)", to: STDERR_FILENO)
    }

    /// Writes one line to a terminal and waits until it has left the machine, so that a power-off
    /// right after does not swallow it. A terminal that cannot be written is passed over.
    public static func print(_ line: String, terminal path: String) {
        guard let terminal = try? FileDescriptor(path, .write) else { return }
        try? terminal.write(Array("\r\(line)\r\n".utf8))
        _ = tcdrain(terminal.rawValue)
    }

    private static func write(_ line: String, to descriptor: Int32) {
        var text = Array(line.utf8)[...]
        while !text.isEmpty {
            let written = unsafe text.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if written < 0, errno == EINTR { continue }
            // Nobody reads: the program's own result does not depend on it.
            guard written > 0 else { return }
            text = text.dropFirst(written)
        }
    }
}
