/// Walks over the bytes of a TOML 1.0 file; every failure gives the line.
struct TOMLScanner {
    private let bytes: [UInt8]
    private var index = 0
    /// The line of the next byte, from 1.
    private(set) var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    }

    var isAtEnd: Bool { index == bytes.count }

    /// The byte `offset` places ahead; nil behind the end.
    func peek(_ offset: Int = 0) -> UInt8? {
        index + offset < bytes.count ? bytes[index + offset] : nil
    }

    /// Whether `text` comes next.
    func isNext(_ text: StaticString) -> Bool {
        bytes[index...].starts(with: "\(text)".utf8)
    }

    /// Takes `text` if it comes next; it must not span lines.
    mutating func take(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        index += text.utf8CodeUnitCount
        return true
    }

    /// Takes the next byte.
    mutating func next() -> UInt8? {
        guard let byte = peek() else { return nil }
        index += 1
        if byte == UInt8(ascii: "\n") { line += 1 }
        return byte
    }

    /// Takes bytes as long as `belongs` says so.
    mutating func take(while belongs: (UInt8) -> Bool) -> [UInt8] {
        let start = index
        while let byte = peek(), byte != UInt8(ascii: "\n"), belongs(byte) { index += 1 }
        return Array(bytes[start..<index])
    }

    mutating func skipBlanks() {
        _ = take { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// Takes a line break, `\n` or `\r\n`, if one comes next.
    mutating func takeLineBreak() -> Bool {
        if peek() == UInt8(ascii: "\r"), peek(1) == UInt8(ascii: "\n") { index += 1 }
        guard peek() == UInt8(ascii: "\n") else { return false }
        _ = next()
        return true
    }

    /// Passes over blanks and a comment.
    mutating func skipComment() throws(SettingsError) {
        skipBlanks()
        guard peek() == UInt8(ascii: "#") else { return }
        while let byte = peek(), !isNext("\n"), !isNext("\r\n") {
            guard Self.isText(byte) else { throw error(expected: "text in a comment") }
            index += 1
        }
    }

    /// Passes over blanks, comments and line breaks.
    mutating func skipLines() throws(SettingsError) {
        repeat { try skipComment() } while takeLineBreak()
    }

    /// Passes over the rest of a line, in which nothing more may come.
    mutating func finishLine() throws(SettingsError) {
        try skipComment()
        guard takeLineBreak() || isAtEnd else { throw error(expected: "the end of the line") }
    }

    /// An error at the next byte.
    func error(expected: String) -> SettingsError {
        error(expected: expected, actual: nextDescription)
    }

    /// An error on this line.
    func error(expected: String, actual: String) -> SettingsError {
        SettingsError(path: "", expected: expected, actual: actual, line: line)
    }

    /// Whether a byte may stand in a text or comment as it is: no control character but the tab.
    static func isText(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\t") || byte >= 0x20 && byte != 0x7f
    }

    private var nextDescription: String {
        guard let byte = peek() else { return "the end of the file" }
        if byte == UInt8(ascii: "\n") || isNext("\r\n") { return "the end of the line" }
        guard byte < 0x80 else { return "a character that is not ASCII" }
        return String(UnicodeScalar(byte)).debugDescription
    }
}
