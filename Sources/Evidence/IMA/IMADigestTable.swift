import Bytes

/// Names of files with the digests that they may have; a look-up allocates nothing.
///
/// A name may have several digests. The hash is seeded for each process, so that nobody can choose names
/// that all fall into one place.
public struct IMADigestTable: Sendable {
    /// The most entries.
    public static let maximumEntries = 1 << 24

    private struct Record {
        let hash: UInt64
        let start: Int
        let nameCount: Int
        let digestCount: Int
    }

    private var slots: [UInt32] = [UInt32](repeating: 0, count: 16)
    private var records: [Record] = []
    private var arena: [UInt8] = []
    private let seed: UInt64 = UInt64(bitPattern: Int64(Hasher().finalize()))

    /// No entry.
    public init() {}

    /// How many pairs of a name and a digest there are.
    public var count: Int { records.count }

    /// Adds a pair; one that is there already stays once.
    public mutating func insert(name: some Sequence<UInt8>, digest: some Sequence<UInt8>) {
        let name = Array(name)
        insert(name + digest, name: 0..<name.count)
    }

    /// Adds the pair of the name `bytes[name]` and the digest that follows it to the end of `bytes`.
    public mutating func insert(_ bytes: [UInt8], name: Range<Int>) {
        let digest = name.upperBound..<bytes.count
        let hash = hash(bytes, name, bytes, digest)
        guard records.count < Self.maximumEntries,
            find(hash, bytes, name, bytes, digest) == nil
        else { return }
        if 2 * (records.count + 1) > slots.count { grow() }
        records.append(
            Record(
                hash: hash, start: arena.count, nameCount: name.count, digestCount: digest.count))
        arena.append(contentsOf: bytes[name.lowerBound...])
        place(records.count - 1)
    }

    /// Gives each pair in the order in which they were added: bytes, and where in them name and digest are.
    public func forEach<Failure: Error>(
        _ body: ([UInt8], _ name: Range<Int>, _ digest: Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        for record in records {
            let end = record.start + record.nameCount
            try body(arena, record.start..<end, end..<end + record.digestCount)
        }
    }

    /// Whether the name in `bytes[name]` may have the digest in `bytes[digest]`.
    public func contains(_ bytes: [UInt8], name: Range<Int>, digest: Range<Int>) -> Bool {
        find(hash(bytes, name, bytes, digest), bytes, name, bytes, digest) != nil
    }

    /// Every digest that a name may have; looks at all of the table, so this is for messages.
    public func digests(of name: [UInt8]) -> [[UInt8]] {
        records.filter { $0.nameCount == name.count && matches($0.start, name, 0..<name.count) }
            .map {
                Array(arena[$0.start + $0.nameCount..<$0.start + $0.nameCount + $0.digestCount])
            }
    }

    private func find(
        _ hash: UInt64, _ names: [UInt8], _ name: Range<Int>, _ digests: [UInt8],
        _ digest: Range<Int>
    ) -> Int? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            let record = records[index]
            if record.hash == hash, record.nameCount == name.count,
                record.digestCount == digest.count, matches(record.start, names, name),
                matches(record.start + record.nameCount, digests, digest)
            {
                return index
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func matches(_ start: Int, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        bytes.isEqual(range, to: arena, at: start)
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: records[index].hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(index + 1)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: 2 * slots.count)
        for index in records.indices { place(index) }
    }

    private func hash(
        _ names: [UInt8], _ name: Range<Int>, _ digests: [UInt8], _ digest: Range<Int>
    ) -> UInt64 {
        digests.mixed(digest, seed: names.mixed(name, seed: seed))
    }
}
