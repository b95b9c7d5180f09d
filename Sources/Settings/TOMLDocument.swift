import TOMLKit

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
        try Self.refuseNUL(text)
        do {
            guard case .table(let root) = TOMLNode(copying: try TOMLTable(string: text)) else {
                throw SettingsError(path: "", expected: "a table", actual: "none")
            }
            self.root = root
        } catch let error as SettingsError {
            throw error
        } catch let error as TOMLParseError {
            throw SettingsError(
                path: "", expected: "TOML", actual: Self.singleLine(error.description),
                line: error.source.begin.line)
        } catch {
            throw SettingsError(path: "", expected: "TOML", actual: "\(error)")
        }
    }

    /// Lets `body` read the whole file; a key that it does not ask for is refused.
    public func read<T>(
        _ body: (inout TOMLReader) throws(SettingsError) -> T
    ) throws(SettingsError) -> T {
        try TOMLReader.read(root, at: "", body)
    }

    /// The parser works on C strings: a NUL would hide whatever follows it.
    private static func refuseNUL(_ text: String) throws(SettingsError) {
        var line = 1
        for row in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        {
            let escaped = ["\\u0000", "\\U00000000", "\\x00"]
            if row.contains(0) || escaped.contains(where: { contains(row, Array($0.utf8)) }) {
                throw SettingsError(
                    path: "", expected: "text", actual: "a NUL character", line: line)
            }
            line += 1
        }
    }

    private static func contains(_ row: Substring.UTF8View, _ pattern: [UInt8]) -> Bool {
        var start = row.startIndex
        while let match = row[start...].firstIndex(of: pattern[0]) {
            if row[match...].starts(with: pattern) { return true }
            start = row.index(after: match)
        }
        return false
    }

    private static func singleLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
