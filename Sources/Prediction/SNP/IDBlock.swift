public import Bytes

/// What an owner signs so that the secure processor starts nothing else: the ID block, 96 bytes.
///
/// Layout: AMD publication 56860, table "ID Block"; little-endian. Its signature, ECDSA P-384 over
/// SHA-384, goes into the ID authentication structure.
public struct IDBlock: Sendable, Equatable {
    /// The launch digest.
    public var launchDigest: FixedBytes<48>
    /// FAMILY_ID of the report, the owner's own.
    public var familyID = FixedBytes<16>()
    /// IMAGE_ID of the report, the owner's own.
    public var imageID = FixedBytes<16>()
    /// GUEST_SVN of the report.
    public var guestSVN: UInt32 = 0
    /// The guest policy; the default allows multithreading and nothing else.
    public var policy: UInt64 = 0x30000

    /// The block of a launch digest, other fields at their defaults.
    public init(launchDigest: FixedBytes<48>) {
        self.launchDigest = launchDigest
    }

    /// As QEMU's `id-block` takes it, in base 64.
    public var bytes: [UInt8] {
        var block = ByteWriter()
        block.fixed(launchDigest)
        block.fixed(familyID)
        block.fixed(imageID)
        block.littleEndian(UInt32(1))
        block.littleEndian(guestSVN)
        block.littleEndian(policy)
        return block.bytes
    }

    /// SHA-384 of the block: what the ID key signs.
    public func digest(hashing: any Hashing) -> FixedBytes<48> { hashing.sha384(bytes) }
}
