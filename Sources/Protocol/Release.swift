public import Bytes

/// The disk key, sealed by HPKE to the attested ephemeral key.
public struct Release: Message, Equatable {
    /// RELEASE.
    public static let type = MessageType.release

    /// The sender's encapsulated X25519 key.
    public let encapsulatedKey: FixedBytes<32>
    /// An encoded ``ReleasePayload``, sealed with info = binding and empty aad; 17 to 2048 bytes.
    public let ciphertext: [UInt8]

    /// Both fields; nil where the ciphertext is no payload's length.
    public init?(encapsulatedKey: FixedBytes<32>, ciphertext: [UInt8]) {
        guard (17...2048).contains(ciphertext.count) else { return nil }
        self.encapsulatedKey = encapsulatedKey
        self.ciphertext = ciphertext
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        (encapsulatedKey, ciphertext) = try body.parse("RELEASE") { reader throws(ParseError) in
            (
                try reader.fixed("encapsulated_key"),
                try reader.opaque("ciphertext", lengthBytes: 2, within: 17...2048)
            )
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed(encapsulatedKey)
        writer.opaque(ciphertext, lengthBytes: 2)
        return writer.bytes
    }
}

/// No key; the owner can look the reference up, the guest learns nothing more.
public struct Refused: Message, Equatable {
    /// REFUSED.
    public static let type = MessageType.refused

    /// The few reasons that a peer may learn.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// The appraisal said no.
        case refused = 1
        /// Too many connections or launches just now.
        case busy = 2
        /// The peer broke the protocol.
        case malformed = 3
    }

    /// The reason.
    public let code: Code
    /// Where the ledger has the finding.
    public let reference: LaunchReference

    /// Both fields.
    public init(code: Code, reference: LaunchReference) {
        self.code = code
        self.reference = reference
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("REFUSED") { reader throws(ParseError) in
            Refused(code: try reader.known("code"), reference: try reader.reference())
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(code.rawValue)
        writer.name(reference)
        return writer.bytes
    }
}

/// Not yet: the owner has to look. The connection closes; come back with fresh evidence.
public struct Held: Message, Equatable {
    /// HELD.
    public static let type = MessageType.held

    /// When to come back.
    public let retryAfterSeconds: UInt16
    /// Where the ledger has the question.
    public let reference: LaunchReference

    /// Both fields.
    public init(retryAfterSeconds: UInt16, reference: LaunchReference) {
        self.retryAfterSeconds = retryAfterSeconds
        self.reference = reference
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("HELD") { reader throws(ParseError) in
            Held(
                retryAfterSeconds: try reader.bigEndian("retry_after_seconds"),
                reference: try reader.reference())
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(retryAfterSeconds)
        writer.name(reference)
        return writer.bytes
    }
}
