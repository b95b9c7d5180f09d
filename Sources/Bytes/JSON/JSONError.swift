/// Why a text was refused as JSON, and where.
public struct JSONError: Error, Equatable, Sendable {
    /// How many bytes of the text precede the fault.
    public let offset: Int
    /// What does not hold.
    public let reason: Reason

    /// The rule that the text breaks.
    public enum Reason: Equatable, Sendable {
        /// The text is longer than the reader was allowed to look at.
        case tooLong(limit: Int)
        /// Arrays and objects are nested deeper than allowed.
        case tooDeep(limit: Int)
        /// There are more values than allowed.
        case tooManyValues(limit: Int)
        /// The text ends within a value.
        case truncated
        /// Something else stands here than what the grammar wants.
        case expected(String)
        /// A byte that no string may hold unescaped.
        case controlCharacter
        /// An escape that RFC 8259 does not know, or half a surrogate pair.
        case badEscape
        /// Bytes that are not UTF-8.
        case notUTF8
        /// An object holds a name twice.
        case duplicateName
        /// A value is complete and more follows it.
        case trailingText
    }
}

extension JSONError: CustomStringConvertible {
    /// One line: where, and what was expected.
    public var description: String {
        let fault =
            switch reason {
            case .tooLong(let limit): "longer than \(limit) bytes"
            case .tooDeep(let limit): "nested deeper than \(limit)"
            case .tooManyValues(let limit): "more than \(limit) values"
            case .truncated: "the text ends within a value"
            case .expected(let what): "expected \(what)"
            case .controlCharacter: "a control character within a string"
            case .badEscape: "not an escape of RFC 8259"
            case .notUTF8: "not UTF-8"
            case .duplicateName: "the name stands twice in one object"
            case .trailingText: "text follows the value"
            }
        return "byte \(offset): \(fault)"
    }
}
