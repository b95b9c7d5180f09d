public import Bytes

/// What may be in a running VM, as its owner recorded it; docs/runtime.md, "The snapshot".
public struct Snapshot: Sendable {
    /// What Cosmian's snapshots say too.
    public var header = SnapshotHeader()
    /// What only ours say; nil for one of Cosmian's.
    public var details: SnapshotDetails?
    /// Paths, as ``SnapshotPath`` has them, with their digests; nil where none were recorded.
    public var files: IMADigestTable?
    /// The installed packages; empty where none were recorded.
    public var packages: [SnapshotPackage] = []

    /// An empty one.
    public init() {}

    /// Reads a file that is in memory already.
    ///
    /// - Throws: as ``SnapshotReader``.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        var reader = SnapshotReader()
        try reader.append(bytes[...])
        self = try reader.finish()
    }

    /// Whether the file whose name is `bytes[name]`, written in any of the ways that the kernel has, may have
    /// the digest `bytes[digest]`; false where no files were recorded.
    public func allows(_ bytes: [UInt8], name: Range<Int>, digest: Range<Int>) -> Bool {
        guard let files else { return false }
        if SnapshotPath.isPlain(bytes, name) {
            return files.contains(bytes, name: name, digest: digest)
        }
        let path = SnapshotPath.normalized(bytes[name])
        return files.contains(
            path + bytes[digest], name: 0..<path.count,
            digest: path.count..<path.count + digest.count)
    }

    /// The packages that the paths belong to, as far as one is known; one look at all packages.
    public func owners(of paths: Set<String>) -> [String: SnapshotPackage] {
        var owners: [String: SnapshotPackage] = [:]
        for package in packages {
            for line in package.pathLines.split(separator: 0x0a) {
                let path = String(decoding: line, as: UTF8.self)
                if paths.contains(path) { owners[path] = package }
            }
        }
        return owners
    }
}
