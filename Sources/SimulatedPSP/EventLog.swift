import Glibc

/// One JSON object a line, written at once, so that a watching process sees each event in time.
final class EventLog {
    private let descriptor: Int32
    private let isOwned: Bool

    /// Appends to `path`, or to standard output if there is none.
    init(_ path: String?) throws(PSPFault) {
        guard let path else {
            descriptor = STDOUT_FILENO
            isOwned = false
            return
        }
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .unavailable("\(path): open: \(unsafe String(cString: strerror(errno)))")
        }
        isOwned = true
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Writes one event; a reader that went away is no reason to stop serving.
    func write(_ event: String, _ members: [(String, JSONText.Value)]) {
        let line = JSONText.object([("event", .string(event))] + members) + "\n"
        var bytes = Array(line.utf8)[...]
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
