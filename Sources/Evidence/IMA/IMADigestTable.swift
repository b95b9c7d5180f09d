import Bytes

/// Names of files with the digests that they may have; a look-up allocates nothing.
///
/// A name may have several digests. The hash is seeded for each process, so that nobody can choose names
/// that all fall into one place. A pair takes its own bytes, three more, and 16 to 32 of the places.
public struct IMADigestTable: Sendable {
    /// The most entries.
    public static let maximumEntries = 1 << 24

    /// Pairs one behind the other: two bytes for the length of the name, one for that of the digest, both.
    /// In blocks, since one array of all would be there twice while it grows.
    private var blocks: [[UInt8]] = []
    /// Where in ``blocks`` a pair starts, plus one, below the highest bits of its hash; 0 where there is none.
    private var places = [UInt64](repeating: 0, count: 16)
    private let seed: UInt64 = UInt64(bitPattern: Int64(Hasher().finalize()))

    private static let blockBits = 20
    private static let startBits: UInt64 = 40
    private static let startMask: UInt64 = 1 << startBits - 1

    /// No entry.
    public init() {}

    /// How many pairs of a name and a digest there are.
    public private(set) var count = 0

    /// Adds a pair; one that is there already stays once.
    public mutating func insert(name: some Sequence<UInt8>, digest: some Sequence<UInt8>) {
        let name = Array(name)
        insert(name + digest, name: 0..<name.count)
    }

    /// Adds the pair of the name `bytes[name]` and the digest that follows it to the end of `bytes`.
    ///
    /// One that no log can have, a name of more than 65535 bytes or a digest of more than 255, is left out.
    public mutating func insert(_ bytes: [UInt8], name: Range<Int>) {
        let digest = name.upperBound..<bytes.count
        guard count < Self.maximumEntries, let nameCount = UInt16(exactly: name.count),
            let digestCount = UInt8(exactly: digest.count),
            !contains(bytes, name: name, digest: digest)
        else { return }
        if 2 * (count + 1) > places.count { grow() }
        let pairCount = 3 + bytes.count - name.lowerBound
        if blocks.last.map({ $0.count + pairCount > 1 << Self.blockBits }) ?? true {
            blocks.append([])
        }
        let last = blocks.count - 1
        let offset = blocks[last].count
        blocks[last].append(UInt8(truncatingIfNeeded: nameCount))
        blocks[last].append(UInt8(nameCount >> 8))
        blocks[last].append(digestCount)
        blocks[last].append(contentsOf: bytes[name.lowerBound...])
        place(Self.pair(in: blocks[last], at: offset), of: last)
        count += 1
    }

    /// Gives each pair in the order in which they were added: bytes, and where in them name and digest are.
    public func forEach<Failure: Error>(
        _ body: ([UInt8], _ name: Range<Int>, _ digest: Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        for block in blocks {
            var offset = 0
            while offset < block.count {
                let pair = Self.pair(in: block, at: offset)
                try body(block, pair.name, pair.digest)
                offset = pair.digest.upperBound
            }
        }
    }

    /// Whether the name in `bytes[name]` may have the digest in `bytes[digest]`.
    public func contains(_ bytes: [UInt8], name: Range<Int>, digest: Range<Int>) -> Bool {
        let hash = hash(bytes, name, digest)
        let mask = places.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while places[index] != 0 {
            let place = places[index]
            if (place ^ hash) >> Self.startBits == 0 {
                let start = Int(place & Self.startMask) - 1
                let block = blocks[start >> Self.blockBits]
                let pair = Self.pair(in: block, at: start & (1 << Self.blockBits - 1))
                if pair.name.count == name.count, pair.digest.count == digest.count,
                    bytes.isEqual(name, to: block, at: pair.name.lowerBound),
                    bytes.isEqual(digest, to: block, at: pair.digest.lowerBound)
                {
                    return true
                }
            }
            index = (index + 1) & mask
        }
        return false
    }

    /// Every digest that a name may have; looks at all of the table, so this is for messages.
    public func digests(of name: [UInt8]) -> [[UInt8]] {
        var digests: [[UInt8]] = []
        forEach { bytes, other, digest in
            if other.count == name.count,
                name.isEqual(0..<name.count, to: bytes, at: other.lowerBound)
            {
                digests.append(Array(bytes[digest]))
            }
        }
        return digests
    }

    private struct Pair {
        let offset: Int
        let name: Range<Int>
        let digest: Range<Int>
    }

    private static func pair(in block: [UInt8], at offset: Int) -> Pair {
        let nameCount = Int(block[offset]) | Int(block[offset + 1]) << 8
        let nameEnd = offset + 3 + nameCount
        return Pair(
            offset: offset, name: offset + 3..<nameEnd,
            digest: nameEnd..<nameEnd + Int(block[offset + 2]))
    }

    private mutating func place(_ pair: Pair, of block: Int) {
        let hash = hash(blocks[block], pair.name, pair.digest)
        let mask = places.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while places[index] != 0 { index = (index + 1) & mask }
        let start = block << Self.blockBits | pair.offset
        places[index] = hash & ~Self.startMask | UInt64(start + 1)
    }

    private mutating func grow() {
        places = [UInt64](repeating: 0, count: 2 * places.count)
        for block in blocks.indices {
            var offset = 0
            while offset < blocks[block].count {
                let pair = Self.pair(in: blocks[block], at: offset)
                place(pair, of: block)
                offset = pair.digest.upperBound
            }
        }
    }

    private func hash(_ bytes: [UInt8], _ name: Range<Int>, _ digest: Range<Int>) -> UInt64 {
        bytes.mixed(digest, seed: bytes.mixed(name, seed: seed))
    }
}
