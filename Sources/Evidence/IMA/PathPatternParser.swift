import Bytes

/// A regular expression, taken apart.
indirect enum PathPatternNode {
    case empty
    case bytes(ByteSet)
    case start
    case end
    case sequence([PathPatternNode])
    case alternatives([PathPatternNode])
    /// At least so often, and at most so often if there is a most.
    case repetition(PathPatternNode, Int, Int?)
}

/// Reads one pattern; what it does not know it refuses.
struct PathPatternParser {
    /// The most that a count in braces may be.
    private static let maximumCount = 256
    /// The deepest nesting of groups.
    private static let maximumDepth = 32

    private let text: [UInt8]
    private let field: String
    private var offset = 0
    private var depth = 0

    init(_ text: [UInt8], _ field: String) {
        self.text = text
        self.field = field
    }

    mutating func parse() throws(ParseError) -> PathPatternNode {
        guard text.count <= PathPattern.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: field, length: text.count, minimum: 0,
                maximum: PathPattern.maximumByteCount)
        }
        let node = try alternatives()
        guard offset == text.count else {
            throw fault("a closing parenthesis without an opening one")
        }
        return node
    }

    private func fault(_ what: String) -> ParseError {
        .invalid(field: field, rule: "\(what) (at byte \(offset)) is not supported")
    }

    private var next: UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func take(_ character: Character) -> Bool {
        guard next == character.asciiValue else { return false }
        offset += 1
        return true
    }

    private mutating func alternatives() throws(ParseError) -> PathPatternNode {
        var nodes = [try sequence()]
        while take("|") { nodes.append(try sequence()) }
        return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
    }

    private mutating func sequence() throws(ParseError) -> PathPatternNode {
        var nodes: [PathPatternNode] = []
        while let next, next != UInt8(ascii: "|"), next != UInt8(ascii: ")") {
            nodes.append(try repeated(try atom()))
        }
        return nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func repeated(
        _ node: PathPatternNode
    ) throws(ParseError) -> PathPatternNode {
        guard let bounds = try quantifier() else { return node }
        // Lazy: finds other lengths, but in the same paths.
        _ = take("?")
        if next == UInt8(ascii: "+") { throw fault("a possessive quantifier") }
        guard try quantifier() == nil else { throw fault("a quantifier of a quantifier") }
        return .repetition(node, bounds.minimum, bounds.maximum)
    }

    private mutating func quantifier() throws(ParseError) -> (minimum: Int, maximum: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard next == UInt8(ascii: "{") else { return nil }
        let start = offset
        offset += 1
        let minimum = number()
        var maximum = minimum
        if take(",") { maximum = number() }
        guard take("}"), let minimum else {
            // Python takes such a brace for itself.
            offset = start
            throw fault("a brace that is no count")
        }
        guard minimum <= Self.maximumCount, (maximum ?? minimum) <= Self.maximumCount,
            (maximum ?? minimum) >= minimum
        else { throw fault("a count beyond \(Self.maximumCount)") }
        return (minimum, maximum)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next, (0x30...0x39).contains(digit) {
            value = min((value ?? 0) * 10 + Int(digit - 0x30), 1 << 20)
            offset += 1
        }
        return value
    }

    private mutating func atom() throws(ParseError) -> PathPatternNode {
        guard let character = next else { return .empty }
        switch Character(Unicode.Scalar(character)) {
        case "(": return try group()
        case "[": return .bytes(try set())
        case ".":
            offset += 1
            return .bytes(ByteSet([0x0a]).inverted)
        case "^":
            offset += 1
            return .start
        case "$":
            offset += 1
            return .end
        case "\\":
            offset += 1
            if take("A") { return .start }
            return .bytes(try escape())
        case "*", "+", "?", "{": throw fault("a quantifier of nothing")
        default:
            offset += 1
            return .bytes(ByteSet([character]))
        }
    }

    private mutating func group() throws(ParseError) -> PathPatternNode {
        offset += 1
        if take("?"), !take(":") { throw fault("a group that is more than a group") }
        depth += 1
        guard depth <= Self.maximumDepth else { throw fault("so deep a group") }
        let node = try alternatives()
        depth -= 1
        guard take(")") else { throw fault("an opening parenthesis without a closing one") }
        return node
    }

    /// A class behind a backslash, or the character itself.
    private mutating func escape() throws(ParseError) -> ByteSet {
        guard let character = next else { throw fault("a backslash at the end") }
        offset += 1
        switch Character(Unicode.Scalar(character)) {
        case "d": return Self.digits
        case "D": return Self.digits.inverted
        case "w": return Self.word
        case "W": return Self.word.inverted
        case "s": return Self.space
        case "S": return Self.space.inverted
        case "n": return ByteSet([0x0a])
        case "t": return ByteSet([0x09])
        case "r": return ByteSet([0x0d])
        default:
            guard !Self.word.contains(character) else {
                offset -= 1
                throw fault("the escape \\\(Character(Unicode.Scalar(character)))")
            }
            return ByteSet([character])
        }
    }

    private mutating func set() throws(ParseError) -> ByteSet {
        offset += 1
        let isInverted = take("^")
        var set = ByteSet()
        var isFirst = true
        while isFirst || next != UInt8(ascii: "]") {
            isFirst = false
            guard let low = try element() else { throw fault("a set without an end") }
            guard next == UInt8(ascii: "-"), offset + 1 < text.count,
                text[offset + 1] != UInt8(ascii: "]")
            else {
                set.formUnion(low.set)
                continue
            }
            offset += 1
            guard let high = try element(), let first = low.byte, let last = high.byte,
                first <= last
            else { throw fault("a range without an order") }
            set.formUnion(ByteSet(first...last))
        }
        offset += 1
        return isInverted ? set.inverted : set
    }

    /// One character of a set, or a class.
    private mutating func element() throws(ParseError) -> (set: ByteSet, byte: UInt8?)? {
        guard let character = next else { return nil }
        guard character < 0x80 else { throw fault("a character beyond ASCII in a set") }
        offset += 1
        guard character == UInt8(ascii: "\\") else { return (ByteSet([character]), character) }
        let escaped = next
        let set = try escape()
        let byte = escaped.flatMap { set == ByteSet([$0]) ? $0 : nil }
        return (set, byte)
    }

    private static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    private static let space = ByteSet([0x20, 0x09, 0x0a, 0x0d, 0x0b, 0x0c])
    private static let word: ByteSet = {
        var set = ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z"))
        set.formUnion(ByteSet(UInt8(ascii: "A")...UInt8(ascii: "Z")))
        set.formUnion(digits)
        set.insert(UInt8(ascii: "_"))
        return set
    }()
}
