import Bytes
import Linux
import OpenSSL

/// What is asked of a vector, and what has to come out.
struct VectorCase {
    var name: String
    /// A word of the index's list; nil for what has to be accepted.
    var reason: String?
    /// Seconds since 1970 UTC; nil where no clock matters.
    var time: Int64?
    var inputs: [(String, JSONText.Value)] = []
    var policy: [(String, JSONText.Value)] = []

    var json: JSONText.Value {
        var members: [(String, JSONText.Value)] = [
            ("name", .string(name)), ("result", .string(reason == nil ? "accept" : "reject")),
        ]
        if let reason { members.append(("reason", .string(reason))) }
        if let time { members.append(("verify_time", .string(ISO8601.text(time)))) }
        if !inputs.isEmpty { members.append(("inputs", .object(inputs))) }
        members.append(("policy", .object(policy)))
        return .object(members)
    }
}

/// Evidence with its endorsements, and cases over it.
struct VectorEntry {
    var id: String
    var kind: String
    var tags: [String] = []
    /// Path below the folder, and role.
    var files: [(path: String, role: String)]
    var cases: [VectorCase]
}

/// A folder of evidence made here, with an index of the form that `bootgate-vectors` reads.
struct VectorSet {
    private var contents: [(path: String, bytes: [UInt8])] = []
    private(set) var entries: [VectorEntry] = []

    /// Keeps a file for the folder and gives its path.
    mutating func file(_ path: String, _ bytes: [UInt8]) -> String {
        precondition(!contents.contains { $0.path == path }, "two vectors called \(path)")
        contents.append((path, bytes))
        return path
    }

    /// Adds an entry; its files were kept before.
    mutating func add(_ entry: VectorEntry) {
        precondition(!entries.contains { $0.id == entry.id }, "two entries called \(entry.id)")
        entries.append(entry)
    }

    /// The files that were kept, by their paths.
    func bytes(_ path: String) -> [UInt8]? { contents.first { $0.path == path }?.bytes }

    /// Writes files and index; the folder must not have an index yet.
    func write(to folder: String) throws(PSPFault) {
        try PSPFault.writing { () throws(SystemError) in
            for (path, bytes) in contents {
                let whole = "\(folder)/\(path)"
                let end = whole.lastIndex(of: "/") ?? whole.startIndex
                try File.makeDirectories(String(whole[..<end]), mode: 0o755)
                try File.writeAtomically(whole, bytes, mode: 0o644)
            }
            try File.writeAtomically("\(folder)/index.json", Array(index.utf8), mode: 0o644)
        }
    }

    /// The index, one entry a line.
    var index: String {
        let lines = entries.map { JSONText.object(members(of: $0)) }
        return "[\n\(lines.joined(separator: ",\n"))\n]\n"
    }

    private func members(of entry: VectorEntry) -> [(String, JSONText.Value)] {
        let hashing = OpenSSLHashing()
        let files = entry.files.map { path, role in
            let bytes = bytes(path) ?? []
            return JSONText.Value.object([
                ("path", .string(path)), ("role", .string(role)), ("size", .number(bytes.count)),
                ("sha256", .string(hashing.sha256(bytes).hex)),
            ])
        }
        return [
            ("id", .string(entry.id)), ("kind", .string(entry.kind)),
            ("tags", .array(entry.tags.map { .string($0) })), ("files", .array(files)),
            (
                "expect",
                .object([("cases", .array(entry.cases.map(\.json)))])
            ),
        ]
    }
}

/// Bytes that are the same in each run, for all that is not a key or a signature.
struct VectorSeed {
    let seed: [UInt8]

    func bytes(_ label: String, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var counter: UInt8 = 0
        while bytes.count < count {
            bytes += OpenSSLHashing().sha256(seed + [counter] + Array(label.utf8)).bytes
            counter += 1
        }
        return Array(bytes.prefix(count))
    }

    func fixed<let count: Int>(_ label: String) -> FixedBytes<count> {
        FixedBytes(bytes(label, count: count)) ?? FixedBytes()
    }
}
