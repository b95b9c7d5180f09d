import TOMLKit

/// One value of a TOML file, copied out of the parser.
///
/// TOMLKit's sub-tables point into the memory of the root and do not keep it alive, so everything is
/// copied while the root is there.
enum TOMLNode: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case float(Double)
    case bool(Bool)
    case date
    case array([TOMLNode])
    case table([String: TOMLNode])

    init(copying table: TOMLTable) {
        var copy: [String: TOMLNode] = [:]
        for key in table.keys {
            copy[key] = table[key].map(TOMLNode.init(copying:))
        }
        self = .table(copy)
    }

    private init(copying value: any TOMLValueConvertible) {
        self = Self.scalar(value) ?? .date
        if let table = value.table { self = TOMLNode(copying: table) }
        if let array = value.array {
            self = .array((0..<array.count).map { TOMLNode(copying: array[$0]) })
        }
    }

    private static func scalar(_ value: any TOMLValueConvertible) -> TOMLNode? {
        // The type is asked first: TOMLKit's accessors would turn nothing into something else, but a
        // value of another type looks to them like a missing one.
        switch value.type {
        case .string: value.string.map { .string($0) }
        case .int: value.int.map { .integer($0) }
        case .double: value.double.map { .float($0) }
        case .bool: value.bool.map { .bool($0) }
        default: nil
        }
    }
}

extension TOMLNode: CustomStringConvertible {
    /// For an error: what kind of value it is and, where short, which.
    var description: String {
        switch self {
        case .string(let text):
            text.utf8.count <= 80
                ? "the text \(Self.quote(text))" : "a text of \(text.utf8.count) bytes"
        case .integer(let number): "the integer \(number)"
        case .float(let number): "the fraction \(number)"
        case .bool(let value): "\(value)"
        case .date: "a date or time"
        case .array(let items): "a list of \(items.count)"
        case .table: "a table"
        }
    }

    /// The text in quotation marks, on one line whatever is in it.
    ///
    /// Not `debugDescription`: TOMLKit gives `String` another one.
    static func quote(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            scalar == "\"" || scalar == "\\"
                ? "\\\(scalar)"
                : scalar.properties.generalCategory == .control
                    ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return "\"\(escaped.joined())\""
    }
}
