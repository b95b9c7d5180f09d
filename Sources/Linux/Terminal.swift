public import Bytes
import Glibc

/// The person at the keyboard.
public enum Terminal {
    /// The longest passphrase that is read, in bytes; cryptsetup's own limit.
    public static let maximumPassphrase = 512

    /// Whether a descriptor (1: standard output) is a terminal.
    public static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// Asks at the controlling terminal and reads one line, which is not shown.
    ///
    /// - Throws: `SystemError` where there is no terminal.
    public static func readPassphrase(prompt: String) throws(SystemError) -> SecretBytes {
        let terminal = try FileDescriptor("/dev/tty", .readWrite)
        var settings = termios()
        guard unsafe tcgetattr(terminal.rawValue, &settings) == 0 else {
            throw .current("tcgetattr", "/dev/tty")
        }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
        guard unsafe tcsetattr(terminal.rawValue, TCSAFLUSH, &silent) == 0 else {
            throw .current("tcsetattr", "/dev/tty")
        }
        defer { unsafe tcsetattr(terminal.rawValue, TCSAFLUSH, &settings) }
        try terminal.write(Array("\(prompt): ".utf8))
        let line = try readLine(terminal.rawValue)
        try terminal.write([UInt8(ascii: "\n")])
        return line
    }

    /// Reads a passphrase from a descriptor that the caller keeps, to its end; one newline at the end
    /// is no part of it.
    public static func readPassphrase(descriptor: Int32) throws(SystemError) -> SecretBytes {
        let whole = try File.readSecret(descriptor: descriptor, atMost: maximumPassphrase + 1)
        let endsLine = unsafe whole.withBytes { unsafe $0.last == UInt8(ascii: "\n") }
        let count = endsLine ? whole.count - 1 : whole.count
        return whole.prefix(count)
    }

    /// Asks at the controlling terminal; only an answer that begins with `y` is a yes.
    ///
    /// - Throws: `SystemError` where there is no terminal.
    public static func ask(_ question: String) throws(SystemError) -> Bool {
        let terminal = try FileDescriptor("/dev/tty", .readWrite)
        try terminal.write(Array("\(question) ".utf8))
        let answer = try terminal.read(upTo: 256)
        return answer.first == UInt8(ascii: "y") || answer.first == UInt8(ascii: "Y")
    }

    private static func readLine(_ descriptor: Int32) throws(SystemError) -> SecretBytes {
        var count = 0
        let whole = try unsafe SecretBytes(count: maximumPassphrase) { block throws(SystemError) in
            while count < block.count {
                let place = unsafe UnsafeMutableRawBufferPointer(rebasing: block[count...count])
                let got = unsafe read(descriptor, place.baseAddress, 1)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw .current("read", "/dev/tty") }
                if got == 0 { return }
                if unsafe place[0] == UInt8(ascii: "\n") {
                    unsafe place[0] = 0
                    return
                }
                count += 1
            }
        }
        return whole.prefix(count)
    }
}

extension SecretBytes {
    /// The first `count` bytes as a secret of their own; the rest is wiped.
    consuming func prefix(_ count: Int) -> SecretBytes {
        unsafe withBytes { bytes in
            unsafe SecretBytes(count: count) { block in
                unsafe block.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
    }
}
