/// What differs between the files of two snapshots.
public struct SnapshotDifference: Sendable {
    /// One path whose digests differ.
    public struct Change: Equatable, Sendable {
        /// The path, as ``SnapshotPath`` has it.
        public let path: String
        /// The digests that it had, in the order of their bytes; none where it is new.
        public let old: [[UInt8]]
        /// The digests that it has; none where it is gone.
        public let new: [[UInt8]]
    }

    /// Paths that the old one does not have, in the order of their bytes.
    public let added: [Change]
    /// Paths that the new one does not have.
    public let removed: [Change]
    /// Paths that both have with other digests.
    public let changed: [Change]

    /// Compares two; one without files counts as one with none.
    public init(old: Snapshot, new: Snapshot) {
        self.init(old: old.files ?? IMADigestTable(), new: new.files ?? IMADigestTable())
    }

    /// Compares two tables.
    public init(old: IMADigestTable, new: IMADigestTable) {
        var changes = Self.names(in: old, without: new)
        changes.formUnion(Self.names(in: new, without: old))
        // A path may have several digests, and those that both have belong to the change as well.
        let before = Self.digests(of: changes, in: old)
        let after = Self.digests(of: changes, in: new)
        let all = changes.sorted { $0.lexicographicallyPrecedes($1) }.map { name in
            Change(
                path: String(decoding: name, as: UTF8.self), old: before[name] ?? [],
                new: after[name] ?? [])
        }
        added = all.filter { $0.old.isEmpty }
        removed = all.filter { $0.new.isEmpty }
        changed = all.filter { !$0.old.isEmpty && !$0.new.isEmpty }
    }

    /// Whether nothing differs.
    public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

    private static func names(
        in table: IMADigestTable, without other: IMADigestTable
    ) -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        table.forEach { bytes, name, digest in
            if !other.contains(bytes, name: name, digest: digest) {
                names.insert(Array(bytes[name]))
            }
        }
        return names
    }

    private static func digests(
        of names: Set<[UInt8]>, in table: IMADigestTable
    ) -> [[UInt8]: [[UInt8]]] {
        guard !names.isEmpty else { return [:] }
        var digests: [[UInt8]: [[UInt8]]] = [:]
        table.forEach { bytes, name, digest in
            let name = Array(bytes[name])
            if names.contains(name) { digests[name, default: []].append(Array(bytes[digest])) }
        }
        return digests.mapValues { $0.sorted { $0.lexicographicallyPrecedes($1) } }
    }
}
