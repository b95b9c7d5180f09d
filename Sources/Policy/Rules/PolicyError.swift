/// Why a policy was not taken: where, what was expected, what was there.
public struct PolicyError: Error, Equatable, Sendable {
    /// The key in its file's spelling, such as `measurement[1].covers`.
    public let path: String
    /// What a sound policy has there.
    public let expected: String
    /// What this one has.
    public let actual: String

    /// Takes everything as given.
    public init(path: String, expected: String, actual: String) {
        self.path = path
        self.expected = expected
        self.actual = actual
    }
}

extension PolicyError: CustomStringConvertible {
    /// One line for an owner.
    public var description: String { "\(path): expected \(expected), got \(actual)" }
}
