import Bytes

/// Writes one JSON object on one line, with its members in the order in which they were given.
enum JSONText {
    /// A value of a member.
    enum Value: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
        case string(String)
        case number(Int)
        case object([(String, Value)])
        case array([Value])
        case boolean(Bool)
        case null

        init(stringLiteral value: String) { self = .string(value) }
        init(integerLiteral value: Int) { self = .number(value) }

        fileprivate var text: String {
            switch self {
            case .string(let text): JSONString.quoted(text)
            case .number(let number): String(number)
            case .object(let members): JSONText.object(members)
            case .array(let values): "[\(values.map { $0.text }.joined(separator: ","))]"
            case .boolean(let value): value ? "true" : "false"
            case .null: "null"
            }
        }
    }

    /// The object's text, without a line break.
    static func object(_ members: [(String, Value)]) -> String {
        let body = members.map { "\(JSONString.quoted($0.0)):\($0.1.text)" }.joined(separator: ",")
        return "{\(body)}"
    }
}
