/// Why a `gate.conf` was refused: the line, the key, what was expected and what came.
public struct GateConfigError: Error, Equatable, Sendable {
    /// Counted from 1; nil where the fault is in no single line.
    public let line: Int?
    /// The key, or what the line is; nil where the fault is in no single key.
    public let key: String?
    /// What a valid file has there.
    public let expected: String
    /// What the file has there, shortened, with unprintable characters replaced.
    public let actual: String

    init(line: Int? = nil, key: String? = nil, expected: String, actual: String) {
        self.line = line
        self.key = key.map(Self.printable)
        self.expected = expected
        self.actual = Self.printable(actual)
    }

    /// The text came from an untrusted road and goes to a console.
    private static func printable(_ text: String) -> String {
        let shown = text.utf8.prefix(80).map { Characters.isPrintable($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: shown, as: UTF8.self) + (text.utf8.count > 80 ? "..." : "")
    }
}

extension GateConfigError: CustomStringConvertible {
    /// One line for an owner.
    public var description: String {
        let place = line.map { "gate.conf line \($0)" } ?? "gate.conf"
        let name = key.map { " \($0):" } ?? ""
        return "\(place):\(name) expected \(expected), got \(actual)"
    }
}
