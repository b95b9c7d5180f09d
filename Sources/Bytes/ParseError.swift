/// Why bytes were refused, with the field's name in its specification's own spelling.
///
/// Nothing in it is secret and nothing in it is text from the wire, so it may be shown to an owner.
public enum ParseError: Error, Equatable, Sendable {
    /// The field needs `needed` bytes and only `available` are left.
    case truncated(field: String, needed: Int, available: Int)
    /// The structure is complete and `count` bytes follow it.
    case trailingBytes(structure: String, count: Int)
    /// A number outside of what the specification, or this code, allows.
    case outOfRange(field: String, value: UInt64)
    /// A length outside of `minimum...maximum`.
    case lengthOutOfBounds(field: String, length: Int, minimum: Int, maximum: Int)
    /// A field that the specification reserves is not zero.
    case reservedNotZero(field: String)
    /// Any other rule of the format that does not hold; `rule` says what holds in a valid input.
    case invalid(field: String, rule: String)
}

extension ParseError: CustomStringConvertible {
    /// One line for an owner: the field, what was expected, what came.
    public var description: String {
        switch self {
        case .truncated(let field, let needed, let available):
            "\(field): needs \(needed) bytes, only \(available) are left"
        case .trailingBytes(let structure, let count):
            "\(structure): \(count) bytes follow its end, expected none"
        case .outOfRange(let field, let value):
            "\(field): value \(value) is not allowed"
        case .lengthOutOfBounds(let field, let length, let minimum, let maximum):
            "\(field): length \(length) is not within \(minimum) to \(maximum)"
        case .reservedNotZero(let field):
            "\(field): reserved, must be zero"
        case .invalid(let field, let rule):
            "\(field): \(rule)"
        }
    }
}
