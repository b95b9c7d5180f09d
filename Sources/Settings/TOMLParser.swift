/// Reads a TOML 1.0 file into values; what TOML forbids is refused with its line.
struct TOMLParser {
    /// How deep lists and tables in braces may nest.
    static let maximumDepth = 16
    /// How many parts a dotted key may have.
    static let maximumKeyParts = 8

    private var scanner: TOMLScanner
    private let root = TOMLTable(.header)

    /// The values of a whole file.
    static func parse(_ text: String) throws(SettingsError) -> [String: TOMLNode] {
        var parser = TOMLParser(scanner: TOMLScanner(text))
        try parser.parseFile()
        return parser.root.values
    }

    private init(scanner: TOMLScanner) {
        self.scanner = scanner
    }

    private mutating func parseFile() throws(SettingsError) {
        var table = root
        while true {
            try scanner.skipLines()
            guard !scanner.isAtEnd else { return }
            if scanner.take("[[") {
                table = try parseHeader(end: "]]")
            } else if scanner.take("[") {
                table = try parseHeader(end: "]")
            } else {
                try parsePair(into: table, depth: 0)
            }
            try scanner.finishLine()
        }
    }

    private mutating func parseHeader(end: StaticString) throws(SettingsError) -> TOMLTable {
        let path = try parseKey()
        guard scanner.take(end) else { throw scanner.error(expected: "\(end)") }
        var table = root
        for part in path.dropLast() {
            switch table.entries[part] {
            case nil: table = table.add(TOMLTable(.implicit), at: part)
            case .table(let inner) where inner.kind != .inline: table = inner
            case .tables(let list): table = list.last ?? table
            default: throw taken(path, "within a value defined before")
            }
        }
        let name = path[path.count - 1]
        if "\(end)" == "]]" { return try openListed(name, in: table, path) }
        switch table.entries[name] {
        case nil: return table.add(TOMLTable(.header), at: name)
        case .table(let inner) where inner.kind == .implicit:
            inner.kind = .header
            return inner
        default: throw taken(path, "defined before")
        }
    }

    private func openListed(
        _ name: String, in table: TOMLTable, _ path: [String]
    ) throws(SettingsError) -> TOMLTable {
        let new = TOMLTable(.header)
        switch table.entries[name] {
        case nil: table.entries[name] = .tables([new])
        case .tables(let list): table.entries[name] = .tables(list + [new])
        default: throw taken(path, "defined before")
        }
        return new
    }

    private func taken(_ path: [String], _ actual: String) -> SettingsError {
        SettingsError(
            path: path.reduce("") { TOMLReader.join($0, $1) }, expected: "a new key",
            actual: "one that is \(actual)", line: scanner.line)
    }

    private mutating func parsePair(into start: TOMLTable, depth: Int) throws(SettingsError) {
        let path = try parseKey()
        guard scanner.take("=") else { throw scanner.error(expected: "= after a key") }
        scanner.skipBlanks()
        var table = start
        for part in path.dropLast() {
            switch table.entries[part] {
            case nil: table = table.add(TOMLTable(.dotted), at: part)
            case .table(let inner) where inner.kind == .dotted: table = inner
            default: throw taken(path, "within a value or table defined before")
            }
        }
        let name = path[path.count - 1]
        guard table.entries[name] == nil else { throw taken(path, "defined before") }
        table.entries[name] = try parseValue(depth: depth)
    }

    /// A key with its dots, and the blanks around it.
    private mutating func parseKey() throws(SettingsError) -> [String] {
        var parts: [String] = []
        repeat {
            scanner.skipBlanks()
            guard parts.count < Self.maximumKeyParts else {
                throw scanner.error(
                    expected: "a key of at most \(Self.maximumKeyParts) parts", actual: "more")
            }
            parts.append(try parseKeyPart())
            scanner.skipBlanks()
        } while scanner.take(".")
        return parts
    }

    private mutating func parseKeyPart() throws(SettingsError) -> String {
        switch scanner.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            guard !scanner.isNext("\"\"\""), !scanner.isNext("'''") else {
                throw scanner.error(expected: "a key", actual: "a text of several lines")
            }
            return try scanner.string()
        default:
            let key = scanner.take(while: TOMLReader.isBareKeyCharacter)
            guard !key.isEmpty else { throw scanner.error(expected: "a key") }
            return String(decoding: key, as: UTF8.self)
        }
    }

    private mutating func parseValue(depth: Int) throws(SettingsError) -> TOMLTable.Entry {
        guard depth < Self.maximumDepth else {
            throw scanner.error(
                expected: "at most \(Self.maximumDepth) levels of brackets", actual: "more")
        }
        switch scanner.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .value(.string(try scanner.string()))
        case UInt8(ascii: "["): return .value(try parseList(depth: depth + 1))
        case UInt8(ascii: "{"): return .table(try parseInlineTable(depth: depth + 1))
        default: return .value(try scanner.bareValue())
        }
    }

    private mutating func parseList(depth: Int) throws(SettingsError) -> TOMLNode {
        var items: [TOMLNode] = []
        _ = scanner.next()
        try scanner.skipLines()
        while !scanner.take("]") {
            items.append(try parseValue(depth: depth).node)
            try scanner.skipLines()
            guard scanner.take(",") || scanner.isNext("]") else {
                throw scanner.error(expected: ", or ] in a list")
            }
            try scanner.skipLines()
        }
        return .array(items)
    }

    private mutating func parseInlineTable(depth: Int) throws(SettingsError) -> TOMLTable {
        let table = TOMLTable(.inline)
        _ = scanner.next()
        scanner.skipBlanks()
        guard !scanner.take("}") else { return table }
        repeat {
            try parsePair(into: table, depth: depth)
            scanner.skipBlanks()
        } while scanner.take(",")
        guard scanner.take("}") else { throw scanner.error(expected: ", or } in a table") }
        return table
    }
}

/// A table while its file is read.
private final class TOMLTable {
    /// How a table came to be, which decides what may still be added to it.
    enum Kind {
        /// Named only as a part of a longer header.
        case implicit
        case header
        /// Made by a dotted key.
        case dotted
        /// In braces: complete.
        case inline
    }

    enum Entry {
        case value(TOMLNode)
        case table(TOMLTable)
        case tables([TOMLTable])

        var node: TOMLNode {
            switch self {
            case .value(let node): node
            case .table(let table): .table(table.values)
            case .tables(let list): .array(list.map { .table($0.values) })
            }
        }
    }

    var kind: Kind
    var entries: [String: Entry] = [:]

    init(_ kind: Kind) {
        self.kind = kind
    }

    func add(_ table: TOMLTable, at key: String) -> TOMLTable {
        entries[key] = .table(table)
        return table
    }

    var values: [String: TOMLNode] { entries.mapValues { $0.node } }
}
