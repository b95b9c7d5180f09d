/// A TOML file, read with ``TOMLReader``.
public struct TOMLDocument: Sendable {
    /// The largest file that is read, in bytes.
    public static let maximumByteCount = 1 << 20

    private let root: [String: TOMLNode]

    /// Parses `text`.
    public init(parsing text: String) throws(SettingsError) {
        guard text.utf8.count <= Self.maximumByteCount else {
            throw SettingsError(
                path: "", expected: "at most \(Self.maximumByteCount) bytes",
                actual: "\(text.utf8.count) bytes")
        }
        root = try TOMLParser.parse(text)
    }

    /// Lets `body` read the whole file; a key that it does not ask for is refused.
    public func read<T>(
        _ body: (inout TOMLReader) throws(SettingsError) -> T
    ) throws(SettingsError) -> T {
        try TOMLReader.read(root, at: "", body)
    }
}
