/// Reads the keys of one table; every failure names the path, what was expected and what was there.
///
/// Each key is read in its own type: no text is taken for a number, no integer for a fraction.
/// ``TOMLDocument/read(_:)`` and the methods that enter tables refuse every key nobody asked for.
public struct TOMLReader {
    /// Where the table is, such as `measurement[0]`; empty for the whole file.
    public let path: String
    private let table: [String: TOMLNode]
    private var known: Set<String> = []

    static func read<T>(
        _ table: [String: TOMLNode], at path: String,
        _ body: (inout TOMLReader) throws(SettingsError) -> T
    ) throws(SettingsError) -> T {
        var reader = TOMLReader(path: path, table: table)
        let value = try body(&reader)
        try reader.refuseUnknownKeys()
        return value
    }

    private init(path: String, table: [String: TOMLNode]) {
        self.path = path
        self.table = table
    }

    /// The keys of the table, sorted; for tables whose keys are names that the owner chose.
    public var keys: [String] { table.keys.sorted() }

    /// Whether the table has `key`, of whatever type.
    public func has(_ key: String) -> Bool { table[key] != nil }

    /// An error about `key`.
    public func error(_ key: String, expected: String, actual: String) -> SettingsError {
        SettingsError(path: Self.join(path, key), expected: expected, actual: actual)
    }

    /// A text that may be absent.
    public mutating func optionalString(_ key: String) throws(SettingsError) -> String? {
        try value(key, "a text") { if case .string(let text) = $0 { text } else { nil } }
    }

    /// A text that must be there.
    public mutating func string(_ key: String) throws(SettingsError) -> String {
        try require(try optionalString(key), key, "a text")
    }

    /// An integer within `bounds` that may be absent.
    public mutating func optionalInteger(
        _ key: String, in bounds: ClosedRange<Int>
    ) throws(SettingsError) -> Int? {
        let expected = "an integer from \(bounds.lowerBound) to \(bounds.upperBound)"
        return try value(key, expected) {
            if case .integer(let number) = $0, bounds.contains(number) { number } else { nil }
        }
    }

    /// An integer within `bounds` that must be there.
    public mutating func integer(
        _ key: String, in bounds: ClosedRange<Int>
    ) throws(SettingsError) -> Int {
        try require(
            try optionalInteger(key, in: bounds), key,
            "an integer from \(bounds.lowerBound) to \(bounds.upperBound)")
    }

    /// `true` or `false`, or absent.
    public mutating func optionalBool(_ key: String) throws(SettingsError) -> Bool? {
        try value(key, "true or false") { if case .bool(let value) = $0 { value } else { nil } }
    }

    /// One of the values of an enumeration, or absent.
    public mutating func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ type: Choice.Type = Choice.self
    ) throws(SettingsError) -> Choice? {
        guard let text = try optionalString(key) else { return nil }
        return try choice(text, at: Self.join(path, key))
    }

    /// A list of texts, or absent.
    public mutating func optionalStrings(_ key: String) throws(SettingsError) -> [String]? {
        let list = try value(key, "a list of texts") {
            if case .array(let items) = $0 { items } else { nil }
        }
        guard let list else { return nil }
        var texts: [String] = []
        for (index, item) in list.enumerated() {
            guard case .string(let text) = item else {
                throw SettingsError(
                    path: "\(Self.join(path, key))[\(index)]", expected: "a text", actual: "\(item)"
                )
            }
            texts.append(text)
        }
        return texts
    }

    /// A list of texts that must be there.
    public mutating func strings(_ key: String) throws(SettingsError) -> [String] {
        try require(try optionalStrings(key), key, "a list of texts")
    }

    /// A list of values of an enumeration, each at most once, or absent.
    public mutating func optionalChoices<
        Choice: RawRepresentable<String> & CaseIterable & Hashable
    >(
        _ key: String, _ type: Choice.Type = Choice.self
    ) throws(SettingsError) -> Set<Choice>? {
        guard let texts = try optionalStrings(key) else { return nil }
        var choices: Set<Choice> = []
        for (index, text) in texts.enumerated() {
            let path = "\(Self.join(path, key))[\(index)]"
            guard choices.insert(try choice(text, at: path)).inserted else {
                throw SettingsError(
                    path: path, expected: "each value once",
                    actual: "\(TOMLNode.string(text)) again")
            }
        }
        return choices
    }

    /// Lets `body` read the table `key`; nil where there is none.
    public mutating func optionalTable<T>(
        _ key: String, _ body: (inout TOMLReader) throws(SettingsError) -> T
    ) throws(SettingsError) -> T? {
        let inner = try value(key, "a table") {
            if case .table(let table) = $0 { table } else { nil }
        }
        guard let inner else { return nil }
        return try Self.read(inner, at: Self.join(path, key), body)
    }

    /// Lets `body` read each table of the list `key`; empty where there is none.
    public mutating func tables<T>(
        _ key: String, _ body: (inout TOMLReader) throws(SettingsError) -> T
    ) throws(SettingsError) -> [T] {
        let list = try value(key, "[[\(key)]] tables") {
            if case .array(let items) = $0 { items } else { nil }
        }
        var results: [T] = []
        for (index, item) in (list ?? []).enumerated() {
            let path = "\(Self.join(path, key))[\(index)]"
            guard case .table(let table) = item else {
                throw SettingsError(path: path, expected: "a table", actual: "\(item)")
            }
            results.append(try Self.read(table, at: path, body))
        }
        return results
    }
}

extension TOMLReader {
    private mutating func value<T>(
        _ key: String, _ expected: String, _ convert: (TOMLNode) -> T?
    ) throws(SettingsError) -> T? {
        known.insert(key)
        guard let node = table[key] else { return nil }
        guard let value = convert(node) else {
            throw error(key, expected: expected, actual: "\(node)")
        }
        return value
    }

    private func require<T>(
        _ value: T?, _ key: String, _ expected: String
    ) throws(SettingsError) -> T {
        guard let value else { throw error(key, expected: expected, actual: "nothing") }
        return value
    }

    private func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String, at path: String
    ) throws(SettingsError) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map { "\"\($0.rawValue)\"" }
            throw SettingsError(
                path: path, expected: names.joined(separator: ", "),
                actual: "\(TOMLNode.string(text))")
        }
        return choice
    }

    private func refuseUnknownKeys() throws(SettingsError) {
        guard let unknown = keys.first(where: { !known.contains($0) }) else { return }
        let names = known.sorted().joined(separator: ", ")
        throw error(
            unknown, expected: known.isEmpty ? "an empty table" : "one of \(names)",
            actual: "an unknown key")
    }

    /// `key` behind `path`, in quotation marks where it needs them.
    static func join(_ path: String, _ key: String) -> String {
        let isBare = !key.isEmpty && key.utf8.allSatisfy(isBareKeyCharacter)
        let name = isBare ? key : key.debugDescription
        return path.isEmpty ? name : "\(path).\(name)"
    }

    /// Whether a key may have the byte without quotation marks.
    static func isBareKeyCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
