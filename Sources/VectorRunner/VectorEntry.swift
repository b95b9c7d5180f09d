import Bytes

/// One entry of an index: files, and what is asked of them.
struct VectorEntry {
    struct File {
        /// Relative to the folder of the index.
        let path: String
        let role: String
    }

    let id: String
    let kind: String
    let files: [File]
    let cases: [VectorCase]

    init(id: String, kind: String, files: [File], cases: [VectorCase]) {
        self.id = id
        self.kind = kind
        self.files = files
        self.cases = cases
    }

    init(_ value: JSONValue) throws(VectorFault) {
        id = try Self.text(value, "id")
        kind = try Self.text(value, "kind")
        guard let files = value["files"]?.array else { throw VectorFault("files: missing") }
        var read: [File] = []
        for file in files {
            read.append(
                File(path: try Self.text(file, "path"), role: try Self.text(file, "role")))
        }
        self.files = read
        var cases: [VectorCase] = []
        for one in value["expect"]?["cases"]?.array ?? [] {
            cases.append(
                try VectorCase(
                    name: Self.text(one, "name"), time: one["verify_time"], inputs: one["inputs"],
                    policy: one["policy"]))
        }
        self.cases = cases
    }

    /// The first file with this role; nil where there is none.
    func path(role: String) -> String? {
        files.first { $0.role == role }?.path
    }

    func paths(role: String) -> [String] {
        files.filter { $0.role == role }.map(\.path)
    }

    /// The file that a case calls `name`, which is the end of its path.
    func path(named name: String) -> String? {
        files.first { $0.path == name || $0.path.hasSuffix("/\(name)") }?.path
    }

    private static func text(_ value: JSONValue, _ name: String) throws(VectorFault) -> String {
        guard let text = value[name]?.string else { throw VectorFault("\(name): expected a text") }
        return text
    }
}

/// What is asked of an entry.
struct VectorCase {
    let name: String
    /// The clock to use, Unix seconds; nil where it does not matter.
    let time: Int64?
    let inputs: JSONValue
    let policy: JSONValue

    init(
        name: String, time: JSONValue?, inputs: JSONValue?, policy: JSONValue?
    ) throws(VectorFault) {
        self.name = name
        self.inputs = inputs ?? .object([])
        self.policy = policy ?? .object([])
        guard let time, time != .null else {
            self.time = nil
            return
        }
        guard let seconds = time.string.flatMap(ISO8601.time) else {
            throw VectorFault("verify_time: expected a time such as 2026-11-21T08:00:00Z")
        }
        self.time = seconds
    }

    func flag(_ name: String) -> Bool { policy[name] == .boolean(true) }

    /// Bytes that the inputs give in hexadecimal digits; nil where they give none.
    func bytes(_ name: String) throws(VectorFault) -> [UInt8]? {
        guard let value = inputs[name], value != .null else { return nil }
        guard let bytes = value.string.flatMap(Hex.decode) else {
            throw VectorFault("inputs.\(name): expected hexadecimal digits")
        }
        return bytes
    }

    /// A value of the policy of exactly `count` bytes; nil where it sets none.
    func pinned<let count: Int>(_ name: String) throws(VectorFault) -> FixedBytes<count>? {
        guard let value = policy[name], value != .null else { return nil }
        guard let bytes = value.string.flatMap({ FixedBytes<count>(hex: $0) }) else {
            throw VectorFault("policy.\(name): expected \(2 * count) hexadecimal digits")
        }
        return bytes
    }

    /// Refuses a policy that asks for something nobody here knows of: it must not pass unasked.
    func require(onlyPolicy known: Set<String>) throws(VectorFault) {
        for member in policy.members ?? [] where !known.contains(member.name) {
            throw VectorFault("policy.\(member.name): unknown here")
        }
    }
}
