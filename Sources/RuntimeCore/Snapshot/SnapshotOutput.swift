import Bytes
import Linux
import OpenSSL

/// What was made: a whole snapshot in the agent's folder.
struct SnapshotFile: Sendable {
    /// SHA-256 of it.
    let digest: FixedBytes<32>
    /// Its size, in bytes.
    let size: Int64
}

/// The file that a snapshot is written to; it has another name until it is whole and on the disk.
struct SnapshotOutput: ~Copyable {
    private static let prefix = "snapshot."

    private let path: String
    private let temporary: String
    private let file: FileDescriptor
    private var hash: RunningHash
    private var size: Int64 = 0
    private var isWhole = false

    /// The path of a whole snapshot.
    static func path(in folder: AgentFolder) -> String {
        "\(folder.temporary)/\(prefix)json"
    }

    /// Begins a file that only its owner may read.
    init(in folder: AgentFolder) throws(SystemError) {
        try File.makeDirectories(folder.temporary, mode: 0o700)
        let temporary =
            "\(folder.temporary)/\(Self.prefix)\(Hex.encode(Random.bytes(6))).new"
        let file = try FileDescriptor(temporary, .create(mode: 0o600))
        path = Self.path(in: folder)
        self.temporary = temporary
        self.file = file
        hash = RunningHash(.sha256)
    }

    deinit {
        if !isWhole { try? File.remove(temporary) }
    }

    /// Removes all that snapshots left behind, also of an agent that was killed.
    static func removeAll(in folder: AgentFolder) {
        let names = (try? File.names(in: folder.temporary)) ?? []
        for name in names where name.hasPrefix(prefix) {
            try? File.remove("\(folder.temporary)/\(name)")
        }
    }

    mutating func write(_ bytes: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            try file.write(bytes)
        } catch {
            throw SystemError(call: error.call, subject: path, code: error.code)
        }
        hash.update(bytes, count: bytes.count)
        size += Int64(bytes.count)
    }

    /// Makes it the snapshot, also across a power cut.
    mutating func commit() throws(SystemError) -> SnapshotFile {
        try file.synchronize()
        try File.rename(temporary, to: path)
        isWhole = true
        guard let digest = FixedBytes<32>(hash.finish()) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return SnapshotFile(digest: digest, size: size)
    }
}
