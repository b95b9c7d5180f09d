/// A JSON value of RFC 8259 as it stood in the text: members keep their order, numbers their digits.
public indirect enum JSONValue: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number, in the digits of the text; ``integer`` reads those without fraction and exponent.
    case number(String)
    /// A string, with its escapes resolved.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object; no name occurs twice.
    case object([Member])

    /// One name and its value.
    public struct Member: Equatable, Sendable {
        /// The name, with its escapes resolved.
        public let name: String
        /// What it stands for.
        public let value: JSONValue

        /// Joins a name to its value.
        public init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The member called `name` of an object; nil where there is none and for any other value.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        // By bytes: `==` on strings also joins texts that are merely equivalent in Unicode.
        return members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// The number as an integer; nil for a fraction, an exponent, or one beyond 64 bits.
    public var integer: Int? {
        guard case .number(let digits) = self else { return nil }
        return Int(digits)
    }

    /// The string's text; nil for any other value.
    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The array's elements; nil for any other value.
    public var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The object's members in the order of the text; nil for any other value.
    public var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The kind of value, in the words of RFC 8259.
    public var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
