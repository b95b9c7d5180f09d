/// A strict reader of RFC 8259 for hostile texts: bounded in size, depth and number of values.
///
/// Stricter than the RFC where two readers could disagree: a name may stand once in an object, strings
/// are valid UTF-8 without lone surrogates, and there is no byte order mark.
public struct JSONReader {
    /// What a text may hold at most.
    public struct Limits: Sendable {
        /// Bytes in the text.
        public var byteCount: Int
        /// Arrays and objects within each other.
        public var depth: Int
        /// Values altogether, names not counted.
        public var values: Int

        /// Limits of `byteCount` bytes, and of depth and values that fit a configuration.
        public init(byteCount: Int, depth: Int = 16, values: Int = 16384) {
            self.byteCount = byteCount
            self.depth = depth
            self.values = values
        }
    }

    private let text: [UInt8]
    private let limits: Limits
    private var offset = 0
    private var values = 0

    private init(_ text: [UInt8], _ limits: Limits) {
        self.text = text
        self.limits = limits
    }

    /// Reads exactly one value, with nothing but white space around it.
    public static func parse(
        _ text: [UInt8], limits: Limits
    ) throws(JSONError) -> JSONValue {
        guard text.count <= limits.byteCount else {
            throw JSONError(offset: limits.byteCount, reason: .tooLong(limit: limits.byteCount))
        }
        var reader = JSONReader(text, limits)
        let value = try reader.value(depth: 0)
        reader.skipWhiteSpace()
        guard reader.offset == text.count else { throw reader.fault(.trailingText) }
        return value
    }

    private func fault(_ reason: JSONError.Reason) -> JSONError {
        JSONError(offset: offset, reason: reason)
    }

    private var next: UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func skipWhiteSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
            offset += 1
        }
    }

    /// Passes over `byte` if it stands next.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func require(_ byte: UInt8, _ what: String) throws(JSONError) {
        guard take(byte) else { throw fault(next == nil ? .truncated : .expected(what)) }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipWhiteSpace()
        values += 1
        guard values <= limits.values else { throw fault(.tooManyValues(limit: limits.values)) }
        switch next {
        case nil: throw fault(.truncated)
        case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try elements(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .boolean(true))
        case UInt8(ascii: "f"): return try literal("false", .boolean(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte):
            return .number(try number())
        default: throw fault(.expected("a value"))
        }
    }

    private mutating func literal(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        for byte in word.description.utf8 {
            try require(byte, "a value")
        }
        return value
    }

    private mutating func elements(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= limits.depth else { throw fault(.tooDeep(limit: limits.depth)) }
        offset += 1
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth))
            skipWhiteSpace()
            if take(UInt8(ascii: "]")) { return elements }
            try require(UInt8(ascii: ","), "a comma or a closing bracket")
        }
    }

    private mutating func members(depth: Int) throws(JSONError) -> [JSONValue.Member] {
        guard depth <= limits.depth else { throw fault(.tooDeep(limit: limits.depth)) }
        offset += 1
        var members: [JSONValue.Member] = []
        var names = NameSet()
        skipWhiteSpace()
        if take(UInt8(ascii: "}")) { return members }
        while true {
            skipWhiteSpace()
            let start = offset
            guard next == UInt8(ascii: "\"") else {
                throw fault(next == nil ? .truncated : .expected("a name"))
            }
            let name = try string()
            guard names.insert(name) else {
                throw JSONError(offset: start, reason: .duplicateName)
            }
            skipWhiteSpace()
            try require(UInt8(ascii: ":"), "a colon")
            members.append(JSONValue.Member(name: name, value: try value(depth: depth)))
            skipWhiteSpace()
            if take(UInt8(ascii: "}")) { return members }
            try require(UInt8(ascii: ","), "a comma or a closing brace")
        }
    }

    private mutating func number() throws(JSONError) -> String {
        let start = offset
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: text[start..<offset], as: UTF8.self)
    }

    private mutating func digits() throws(JSONError) {
        let start = offset
        while let byte = next, Self.isDigit(byte) { offset += 1 }
        guard offset > start else {
            throw fault(next == nil ? .truncated : .expected("a digit"))
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func string() throws(JSONError) -> String {
        let start = offset
        offset += 1
        while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""),
            byte != UInt8(ascii: "\\")
        {
            offset += 1
        }
        var bytes = Array(text[(start + 1)..<offset])
        while true {
            guard let byte = next else { throw fault(.truncated) }
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw JSONError(offset: start, reason: .notUTF8)
                }
                return string
            case UInt8(ascii: "\\"):
                offset += 1
                bytes.append(contentsOf: Array(String(try escape()).utf8))
            case 0..<0x20:
                throw fault(.controlCharacter)
            default:
                bytes.append(byte)
                offset += 1
            }
        }
    }

    private mutating func escape() throws(JSONError) -> Character {
        guard let byte = next else { throw fault(.truncated) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return Character(try unicodeEscape())
        default: throw fault(.badEscape)
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xd800..<0xdc00).contains(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u"))
        else { throw fault(.badEscape) }
        let second = try codeUnit()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw fault(.badEscape) }
        return scalar
    }

    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        guard text.count - offset >= 4 else { throw fault(.truncated) }
        let digits = String(decoding: text[offset..<offset + 4], as: UTF8.self)
        guard let bytes = Hex.decode(digits), bytes.count == 2 else { throw fault(.badEscape) }
        offset += 4
        return UInt32(bytes[0]) << 8 | UInt32(bytes[1])
    }
}

/// The names of one object. Most objects have few, and looking at those is quicker than hashing.
private struct NameSet {
    private var few: [String] = []
    private var many: Set<String> = []

    /// Whether `name` was not there before.
    mutating func insert(_ name: String) -> Bool {
        if few.count < 8 {
            guard !few.contains(name) else { return false }
            few.append(name)
            return true
        }
        return !few.contains(name) && many.insert(name).inserted
    }
}
