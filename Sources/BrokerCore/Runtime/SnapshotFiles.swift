public import Bytes
public import Evidence
public import Linux
import OpenSSL

/// The snapshots that were registered, each a file `FOLDER/VM/DIGEST.json`.
///
/// A VM's name and a digest make sound names of files: the former was checked when it was enrolled.
public struct SnapshotFiles: Sendable {
    /// The largest file, in bytes.
    public static let maximumCount = 128 << 20

    private let folder: String

    /// Keeps them below `folder`, which is made when the first one comes.
    public init(_ folder: String) {
        self.folder = folder
    }

    /// The file of a snapshot.
    public func path(_ digest: String, of vm: String) -> String { "\(folder)/\(vm)/\(digest).json" }

    /// Begins to take a file in.
    public func receive(for vm: String) throws(SystemError) -> IncomingSnapshot {
        try File.makeDirectories("\(folder)/\(vm)", mode: 0o700)
        return try IncomingSnapshot(
            temporary: "\(folder)/\(vm)/\(Hex.encode(Random.bytes(8))).new")
    }

    /// Opens a file for whoever wants it as it is.
    public func open(_ digest: String, of vm: String) throws(SystemError) -> OpenedSnapshot {
        try OpenedSnapshot(path(digest, of: vm))
    }

    /// Gives a file that came in whole its name.
    public func keep(_ incoming: IncomingSnapshot, _ digest: String, of vm: String)
        throws(SystemError)
    {
        try incoming.move(to: path(digest, of: vm))
    }

    /// Removes all of a VM's files but those with these digests.
    public func removeOthers(than digests: [String], of vm: String) {
        let kept = Set(digests.map { "\($0).json" })
        let names = (try? File.names(in: "\(folder)/\(vm)")) ?? []
        for name in names where name.hasSuffix(".json") && !kept.contains(name) {
            try? File.remove("\(folder)/\(vm)/\(name)")
        }
    }

    /// Removes what came in only in part before the broker was ended; for its start.
    public func removeUnfinished() {
        for vm in (try? File.names(in: folder)) ?? [] {
            for name in (try? File.names(in: "\(folder)/\(vm)")) ?? [] where name.hasSuffix(".new")
            {
                try? File.remove("\(folder)/\(vm)/\(name)")
            }
        }
    }

    /// Removes everything of a VM's.
    public func remove(_ vm: String) {
        for name in (try? File.names(in: "\(folder)/\(vm)")) ?? [] {
            try? File.remove("\(folder)/\(vm)/\(name)")
        }
        try? File.removeDirectory("\(folder)/\(vm)")
    }

    /// The snapshot in a file, which has to be as it was registered; its packages only where somebody asks
    /// for them.
    func load(_ digest: String, of vm: String, keepsPackages: Bool) throws -> Snapshot {
        let file = try open(digest, of: vm)
        var reader = SnapshotReader(keepsPackages: keepsPackages)
        var hash = RunningHash(.sha256)
        while true {
            let bytes = try file.next()
            guard !bytes.isEmpty else { break }
            hash.update(bytes, count: bytes.count)
            try reader.append(bytes[...])
        }
        guard Hex.encode(hash.finish()) == digest else {
            throw ParseError.invalid(
                field: path(digest, of: vm), rule: "expected the file that was registered")
        }
        return try reader.finish()
    }
}

/// A snapshot's file, read part by part.
public final class OpenedSnapshot: Sendable {
    private static let partCount = 1 << 18

    private let file: FileDescriptor

    fileprivate init(_ path: String) throws(SystemError) {
        file = try FileDescriptor(path, .read)
    }

    /// The next part; empty at the end.
    public func next() throws(SystemError) -> [UInt8] { try file.read(upTo: Self.partCount) }
}

/// A file that is coming in, read as it comes; gone again unless it is kept.
public final class IncomingSnapshot {
    /// Why no more of it is taken.
    public enum Fault: Error {
        /// It has more than ``SnapshotFiles/maximumCount`` bytes.
        case tooLarge
        /// It is no snapshot.
        case unreadable(ParseError)
    }

    private let temporary: String
    private let file: FileDescriptor
    private var reader = SnapshotReader(keepsPackages: false)
    private var hash = RunningHash(.sha256)
    private var isKept = false
    /// How many bytes have come.
    public private(set) var count = 0

    fileprivate init(temporary: String) throws(SystemError) {
        self.temporary = temporary
        file = try FileDescriptor(temporary, .create(mode: 0o600))
    }

    deinit {
        if !isKept { try? File.remove(temporary) }
    }

    /// Takes the next bytes.
    public func append(_ bytes: [UInt8]) throws {
        count += bytes.count
        guard count <= SnapshotFiles.maximumCount else { throw Fault.tooLarge }
        do throws(ParseError) {
            try reader.append(bytes[...])
        } catch {
            throw Fault.unreadable(error)
        }
        hash.update(bytes, count: bytes.count)
        try file.write(bytes)
    }

    /// What came, once all of it has, and SHA-256 of the file.
    public func finish() throws -> (snapshot: Snapshot, digest: FixedBytes<32>) {
        let snapshot: Snapshot
        do throws(ParseError) {
            snapshot = try reader.finish()
        } catch {
            throw Fault.unreadable(error)
        }
        try file.synchronize()
        guard let digest = FixedBytes<32>(hash.finish()) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return (snapshot, digest)
    }

    fileprivate func move(to path: String) throws(SystemError) {
        try File.rename(temporary, to: path)
        isKept = true
    }
}
