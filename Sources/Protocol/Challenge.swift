public import Bytes

/// The verifier's answer to every well-formed HELLO.
public struct Challenge: Message, Equatable {
    /// CHALLENGE.
    public static let type = MessageType.challenge

    /// Names this launch in the ledger; random.
    public let launchID: FixedBytes<16>
    /// Random, and spent with the connection.
    public let nonce: FixedBytes<32>
    /// The kinds of evidence that will do, out of those offered; at least one.
    public let evidenceKinds: Set<EvidenceKind>
    /// The verifier's clock, in seconds since 1970 (UTC); a hint, never trusted.
    public let time: UInt64

    /// All fields, in the order of the wire.
    public init(
        launchID: FixedBytes<16>, nonce: FixedBytes<32>, evidenceKinds: Set<EvidenceKind>,
        time: UInt64
    ) {
        self.launchID = launchID
        self.nonce = nonce
        self.evidenceKinds = evidenceKinds
        self.time = time
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("CHALLENGE") { reader throws(ParseError) in
            Challenge(
                launchID: try reader.fixed("launch_id"),
                nonce: try reader.fixed("nonce"),
                evidenceKinds: try reader.evidenceKinds(),
                time: try reader.bigEndian("time"))
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed(launchID)
        writer.fixed(nonce)
        writer.evidenceKinds(evidenceKinds)
        writer.bigEndian(time)
        return writer.bytes
    }
}
