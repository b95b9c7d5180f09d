internal import CCryptsetup

/// What libcryptsetup had to say since the last call, instead of on the terminal.
final class LUKSLog {
    private var lines: [String] = []

    /// The error messages, joined; empties the log.
    func take() -> String {
        defer { lines = [] }
        return lines.joined(separator: "; ").printable
    }

    fileprivate func append(_ line: String) {
        guard lines.count < 8 else { return }
        lines.append(line.split(whereSeparator: \.isNewline).joined(separator: " "))
    }

    /// Sends the messages of `device` here; the log must outlive it.
    func attach(to device: OpaquePointer) {
        unsafe crypt_set_log_callback(
            device, receiveLogLine, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Silences messages that belong to no device, those of `crypt_init` among them.
    static func silenceGlobalLog() {
        unsafe crypt_set_log_callback(nil, dropLogLine, nil)
    }
}

// Named functions: a closure literal given to C would inherit its caller's isolation.
private func receiveLogLine(
    level: Int32, message: UnsafePointer<CChar>?, log: UnsafeMutableRawPointer?
) {
    guard level == CRYPT_LOG_ERROR, let message = unsafe message, let log = unsafe log else {
        return
    }
    unsafe Unmanaged<LUKSLog>.fromOpaque(log).takeUnretainedValue()
        .append(String(cString: message))
}

private func dropLogLine(
    level: Int32, message: UnsafePointer<CChar>?, log: UnsafeMutableRawPointer?
) {}
