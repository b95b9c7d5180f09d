/// One value of a TOML file.
enum TOMLNode: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case float(Double)
    case bool(Bool)
    /// Of any of TOML's four kinds; no file of ours has one, so which does not matter.
    case date
    case array([TOMLNode])
    case table([String: TOMLNode])
}

extension TOMLNode: CustomStringConvertible {
    /// For an error: what kind of value it is and, where short, which.
    var description: String {
        switch self {
        case .string(let text):
            text.utf8.count <= 80
                ? "the text \(text.debugDescription)" : "a text of \(text.utf8.count) bytes"
        case .integer(let number): "the integer \(number)"
        case .float(let number): "the fraction \(number)"
        case .bool(let value): "\(value)"
        case .date: "a date or time"
        case .array(let items): "a list of \(items.count)"
        case .table: "a table"
        }
    }
}
