/// Why a settings or policy file was refused: where, what was expected, what was there.
public struct SettingsError: Error, Equatable, Sendable {
    /// The key, such as `launch.listen[0]`; empty where the whole file is meant.
    public let path: String
    /// What a sound file has there.
    public let expected: String
    /// What this one has.
    public let actual: String
    /// The line, from 1, where it is known: for text that is no TOML.
    public let line: Int?

    /// Takes everything as given.
    public init(path: String, expected: String, actual: String, line: Int? = nil) {
        self.path = path
        self.expected = expected
        self.actual = actual
        self.line = line
    }
}

extension SettingsError: CustomStringConvertible {
    /// One line for an owner.
    public var description: String {
        let place = [line.map { "line \($0)" }, path.isEmpty ? nil : path].compactMap { $0 }
        let prefix = place.isEmpty ? "" : place.joined(separator: ", ") + ": "
        return "\(prefix)expected \(expected), got \(actual)"
    }
}
