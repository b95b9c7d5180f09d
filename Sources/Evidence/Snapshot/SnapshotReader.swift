public import Bytes

/// Reads a snapshot from bytes that come in parts of any size; beside what it keeps it needs the memory of
/// one package.
///
/// A file of Cosmian's is one without the member `bootgate`. Members may be in any order, each once; a member
/// that neither has is refused, as is whatever follows.
public struct SnapshotReader: Sendable {
    /// The most pairs of a path and a digest.
    public static let maximumPairs = 1 << 22
    /// The most packages.
    public static let maximumPackages = 1 << 16
    /// The most bytes of paths in all packages.
    public static let maximumPackagedBytes = 1 << 29
    /// The longest package, in bytes of the text.
    public static let maximumPackage = 16 * 1024 * 1024
    /// The longest of all other members together, in bytes of the text.
    public static let maximumMembers = 1024 * 1024

    private enum Scope: String { case snapshot, bootgate = "snapshot.bootgate" }

    private enum Place: Equatable {
        case start
        case name(Scope, isFirst: Bool)
        case afterMember(Scope)
        case pair(isFirst: Bool)
        case afterPair
        case package(isFirst: Bool)
        case afterPackage
        case end
    }

    private let keepsPackages: Bool
    private var text = SnapshotText()
    private var place = Place.start
    /// Nothing is tried before so many bytes are there: a part of one byte must not cost a look at all others.
    private var worthTrying = 1
    /// The members that are read at the end, `"name":value` each with a comma behind it.
    private var members: [Scope: [UInt8]] = [:]
    private var streamed: Set<String> = []
    private var files: IMADigestTable?
    private var packages: [SnapshotPackage] = []
    private var pairCount = 0
    private var packageCount = 0
    private var packagedBytes = 0
    private var pair: [UInt8] = []

    /// Reads one of which nothing has come yet.
    ///
    /// - Parameter keepsPackages: false where nobody will ask for them; they are checked all the same.
    public init(keepsPackages: Bool = true) {
        self.keepsPackages = keepsPackages
    }

    /// How many pairs were read so far.
    public var count: Int { pairCount }

    /// Takes the next bytes of the file.
    ///
    /// - Throws: an error that names the member, and its place in an array. The reader is of no use then.
    public mutating func append(_ more: ArraySlice<UInt8>) throws(ParseError) {
        var start = more.startIndex
        while start < more.endIndex {
            let end = min(start + 65536, more.endIndex)
            text.append(more[start..<end])
            start = end
            if text.remaining >= worthTrying { try read() }
        }
    }

    /// Gives what was read; refuses a file that is cut short.
    public consuming func finish() throws(ParseError) -> Snapshot {
        try read()
        guard place == .end else {
            throw .truncated(
                field: subject, needed: text.remaining + 1, available: text.remaining)
        }
        var snapshot = Snapshot()
        snapshot.header = try SnapshotHeader(
            JSONFields(members[.snapshot] ?? [], membersOf: Scope.snapshot.rawValue))
        if let own = members[.bootgate] {
            snapshot.details = try SnapshotDetails(
                JSONFields(own, membersOf: Scope.bootgate.rawValue))
            try require("snapshot.bootgate.packages")
        }
        try require("snapshot.filehashes")
        snapshot.files = files
        snapshot.packages = packages
        return snapshot
    }

    private func require(_ member: String) throws(ParseError) {
        guard streamed.contains(member) else {
            throw .invalid(field: member, rule: "is missing")
        }
    }

    /// What is being read, for messages.
    private var subject: String {
        switch place {
        case .start, .end: "snapshot"
        case .name(let scope, _), .afterMember(let scope): scope.rawValue
        case .pair, .afterPair: "snapshot.filehashes[\(pairCount)]"
        case .package, .afterPackage: "snapshot.bootgate.packages[\(packageCount)]"
        }
    }

    private mutating func read() throws(ParseError) {
        while text.skipSpace() {
            let start = text.offset
            do throws(SnapshotText.Interruption) {
                try step()
            } catch {
                switch error {
                case .wrong(let rule): throw .invalid(field: subject, rule: rule)
                case .needsMore:
                    text.offset = start
                    guard text.remaining <= Self.maximumPackage + 65536 else {
                        throw .invalid(field: subject, rule: "is too long")
                    }
                    worthTrying = 2 * text.remaining
                    return
                }
            }
        }
        worthTrying = 1
    }

    /// Reads one part. What it changes it changes after the part was found whole.
    private mutating func step() throws(SnapshotText.Interruption) {
        switch place {
        case .start:
            try text.expect(UInt8(ascii: "{"), "an object")
            place = .name(.snapshot, isFirst: true)
        case .name(let scope, let isFirst):
            if isFirst, try text.accept(UInt8(ascii: "}")) { return close(scope) }
            try member(of: scope)
        case .afterMember(let scope):
            if try text.accept(UInt8(ascii: "}")) { return close(scope) }
            try text.expect(UInt8(ascii: ","), "a comma or a closing brace")
            place = .name(scope, isFirst: false)
        case .pair(let isFirst):
            if isFirst, try text.accept(UInt8(ascii: "]")) {
                place = .afterMember(.snapshot)
            } else {
                try readPair()
            }
        case .afterPair:
            place = try isAtNext() ? .pair(isFirst: false) : .afterMember(.snapshot)
        case .package(let isFirst):
            if isFirst, try text.accept(UInt8(ascii: "]")) {
                place = .afterMember(.bootgate)
            } else {
                try readPackage()
            }
        case .afterPackage:
            place = try isAtNext() ? .package(isFirst: false) : .afterMember(.bootgate)
        case .end: throw .wrong("must end here")
        }
    }

    private mutating func isAtNext() throws(SnapshotText.Interruption) -> Bool {
        if try text.accept(UInt8(ascii: "]")) { return false }
        try text.expect(UInt8(ascii: ","), "a comma or a closing bracket")
        return true
    }

    private mutating func close(_ scope: Scope) {
        place = scope == .snapshot ? .end : .afterMember(.snapshot)
    }

    private mutating func member(of scope: Scope) throws(SnapshotText.Interruption) {
        var name: [UInt8] = []
        try text.string(into: &name, atMost: 64)
        try text.expect(UInt8(ascii: ":"), "a colon")
        let path = "\(scope.rawValue).\(String(decoding: name, as: UTF8.self))"
        switch path {
        case "snapshot.filehashes":
            if try text.peek() == UInt8(ascii: "n") {
                guard try Self.isNull(text.value(atMost: 8)) else {
                    throw .wrong("filehashes must be an array or null")
                }
                try note(path)
                place = .afterMember(scope)
            } else {
                try text.expect(UInt8(ascii: "["), "an array")
                try note(path)
                files = IMADigestTable()
                place = .pair(isFirst: true)
            }
        case "snapshot.bootgate":
            try text.expect(UInt8(ascii: "{"), "an object")
            try note(path)
            members[.bootgate] = []
            place = .name(.bootgate, isFirst: true)
        case "snapshot.bootgate.packages":
            try text.expect(UInt8(ascii: "["), "an array")
            try note(path)
            place = .package(isFirst: true)
        default:
            guard scope == .bootgate || SnapshotHeader.members.contains(where: name.isText) else {
                throw .wrong("has no member \(SnapshotHeader.shown(name))")
            }
            let value = try text.value(atMost: Self.maximumMembers)
            let known = members[scope] ?? []
            guard known.count + value.count + name.count <= Self.maximumMembers else {
                throw .wrong("has members of at most \(Self.maximumMembers) bytes")
            }
            // As text again: the name may have had escapes.
            let quoted = JSONString.quoted(String(decoding: name, as: UTF8.self))
            members[scope, default: []] += Array("\(quoted):".utf8) + value + [UInt8(ascii: ",")]
            place = .afterMember(scope)
        }
    }

    private static func isNull(_ value: ArraySlice<UInt8>) -> Bool {
        value.elementsEqual("null".utf8)
    }

    /// Remembers that a member came that is read as it comes.
    private mutating func note(_ path: String) throws(SnapshotText.Interruption) {
        guard streamed.insert(path).inserted else {
            throw .wrong("has the member \(path) twice")
        }
    }

    private mutating func readPair() throws(SnapshotText.Interruption) {
        guard pairCount < Self.maximumPairs else {
            throw .wrong("there are more than \(Self.maximumPairs) pairs")
        }
        pair.removeAll(keepingCapacity: true)
        try text.expect(UInt8(ascii: "["), "a pair")
        try text.string(into: &pair, atMost: SnapshotPath.maximumByteCount)
        guard !pair.isEmpty else { throw .wrong("must have a path") }
        if !SnapshotPath.isPlain(pair, 0..<pair.count) { pair = SnapshotPath.normalized(pair) }
        let nameCount = pair.count
        try text.expect(UInt8(ascii: ","), "a comma")
        _ = try text.peek()
        try text.digest(into: &pair)
        try text.expect(UInt8(ascii: "]"), "the end of the pair")
        files?.insert(pair, name: 0..<nameCount)
        pairCount += 1
        place = .afterPair
    }

    private mutating func readPackage() throws(SnapshotText.Interruption) {
        guard packageCount < Self.maximumPackages else {
            throw .wrong("there are more than \(Self.maximumPackages) packages")
        }
        let value = try text.value(atMost: Self.maximumPackage)
        let package = try SnapshotPackage(SnapshotText.json(Array(value)))
        packagedBytes += package.pathLines.count
        guard packagedBytes <= Self.maximumPackagedBytes else {
            throw .wrong("all paths have more than \(Self.maximumPackagedBytes) bytes")
        }
        if keepsPackages { packages.append(package) }
        packageCount += 1
        place = .afterPackage
    }
}

extension Array<UInt8> {
    fileprivate func isText(_ text: String) -> Bool { elementsEqual(text.utf8) }
}
