public import Bytes

/// Regular expressions of paths, matched in time that grows with the path alone times the pattern's size.
///
/// The part of Python's `re` that exclude lists use, on bytes: characters, `.`, classes, `\d \w \s` and
/// their opposites, groups, `|`, `*`, `+`, `?`, `{m,n}` (lazy forms too, which match the same paths), `^` and
/// `$`. Everything else, such as look-around and back references, is refused by name: a matcher that
/// backtracks would let one path stop the verifier.
public struct PathPattern: Sendable {
    /// The longest pattern, in bytes.
    public static let maximumByteCount = 4096
    /// The most steps that all patterns together compile to.
    public static let maximumSteps = 65536

    enum Step: Sendable {
        /// One byte of the set.
        case bytes(ByteSet)
        /// Goes on at both places.
        case split(Int, Int)
        /// Goes on there.
        case jump(Int)
        /// Only at the start.
        case atStart
        /// Only at the end, or before a line feed that ends the text.
        case atEnd
        /// Done.
        case match
    }

    private var steps: [Step] = []
    /// How much work compiling was; empty groups repeated within each other make no steps.
    private var work = 0

    /// Matches where one of the patterns does; without patterns, nowhere.
    ///
    /// - Throws: an error that names the pattern by its place and what is not understood in it.
    public init(anyOf patterns: [String]) throws(ParseError) {
        for (index, pattern) in patterns.enumerated() {
            let field = "exclude \(index)"
            var parser = PathPatternParser(Array(pattern.utf8), field)
            let tree = try parser.parse()
            // Each pattern but the first is the second way of a split before it.
            let start = steps.count
            steps.append(.match)
            try compile(tree, field)
            steps.append(.match)
            steps[start] = .split(start + 1, steps.count)
        }
        steps.append(.bytes(ByteSet()))
    }

    /// Whether a pattern matches at the start of `bytes[range]`, as Python's `re.match` does.
    public func matches(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        var current: [Int] = []
        var next: [Int] = []
        var marks = [Int](repeating: -1, count: steps.count)
        var stack = [0]
        var at = range.lowerBound
        while true {
            // Follows everything that takes no byte.
            while let step = stack.popLast() {
                guard marks[step] != at else { continue }
                marks[step] = at
                switch steps[step] {
                case .match: return true
                case .bytes: current.append(step)
                case .jump(let target): stack.append(target)
                case .split(let first, let second): stack += [second, first]
                case .atStart: if at == range.lowerBound { stack.append(step + 1) }
                case .atEnd:
                    let isLast = at == range.upperBound - 1 && bytes[at] == 0x0a
                    if at == range.upperBound || isLast { stack.append(step + 1) }
                }
            }
            guard at < range.upperBound, !current.isEmpty else { return false }
            for step in current {
                if case .bytes(let set) = steps[step], set.contains(bytes[at]) {
                    next.append(step + 1)
                }
            }
            current.removeAll(keepingCapacity: true)
            swap(&stack, &next)
            next.removeAll(keepingCapacity: true)
            at += 1
        }
    }

    private mutating func compile(
        _ node: PathPatternNode, _ field: String
    ) throws(ParseError) {
        work += 1
        guard steps.count < Self.maximumSteps, work < 4 * Self.maximumSteps else {
            throw .invalid(field: field, rule: "is too large with those before it")
        }
        switch node {
        case .empty: break
        case .bytes(let set): steps.append(.bytes(set))
        case .start: steps.append(.atStart)
        case .end: steps.append(.atEnd)
        case .sequence(let nodes):
            for node in nodes { try compile(node, field) }
        case .alternatives(let nodes): try compile(alternatives: nodes, field)
        case .repetition(let node, let minimum, let maximum):
            for _ in 0..<minimum { try compile(node, field) }
            guard let maximum else {
                let start = steps.count
                steps.append(.match)
                try compile(node, field)
                steps.append(.jump(start))
                steps[start] = .split(start + 1, steps.count)
                return
            }
            for _ in minimum..<maximum {
                let start = steps.count
                steps.append(.match)
                try compile(node, field)
                steps[start] = .split(start + 1, steps.count)
            }
        }
    }

    private mutating func compile(
        alternatives nodes: [PathPatternNode], _ field: String
    ) throws(ParseError) {
        var ends: [Int] = []
        for (index, node) in nodes.enumerated() {
            let start = steps.count
            let isLast = index == nodes.count - 1
            if !isLast { steps.append(.match) }
            try compile(node, field)
            guard !isLast else { break }
            ends.append(steps.count)
            steps.append(.match)
            steps[start] = .split(start + 1, steps.count)
        }
        for end in ends { steps[end] = .jump(steps.count) }
    }
}

/// A set of byte values.
struct ByteSet: Sendable, Equatable {
    private var words = InlineArray<4, UInt64>(repeating: 0)

    init() {}

    init(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { insert(byte) }
    }

    mutating func insert(_ byte: UInt8) {
        words[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
    }

    func contains(_ byte: UInt8) -> Bool {
        words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1
    }

    mutating func formUnion(_ other: ByteSet) {
        for index in 0..<4 { words[index] |= other.words[index] }
    }

    var inverted: ByteSet {
        var result = self
        for index in 0..<4 { result.words[index] = ~words[index] }
        return result
    }

    static func == (left: ByteSet, right: ByteSet) -> Bool {
        (0..<4).allSatisfy { left.words[$0] == right.words[$0] }
    }
}
