public import Bytes

/// Why a released key did not open the disk.
public enum FailureReason: UInt8, Sendable, CaseIterable {
    /// Our rules refuse the LUKS2 header.
    case headerRefused = 1
    /// The keyslot does not open with the key.
    case keyslotRefusedKey = 2
    /// The keyslot opened, but its volume key is not the enrolled one.
    case volumeKeyCheckMismatch = 3
    /// The kernel refused the mapping.
    case activationFailed = 4
    /// The header on disk is no longer the one that HELLO named.
    case headerChanged = 5
    /// Anything else.
    case other = 6
}

extension FailureReason: CustomStringConvertible {
    /// The stable name in docs/protocol.md.
    public var description: String {
        switch self {
        case .headerRefused: "header refused"
        case .keyslotRefusedKey: "keyslot refused key"
        case .volumeKeyCheckMismatch: "volume key check mismatch"
        case .activationFailed: "activation failed"
        case .headerChanged: "header changed"
        case .other: "other"
        }
    }
}

/// What became of a released key.
public enum Outcome: Message, Equatable {
    /// The disk is open.
    case unlocked(proof: FixedBytes<32>, stagedDigest: FixedBytes<32>?)
    /// It is not. `detail` is for the owner; what is not printable ASCII is sent as `?`, and at most
    /// 256 bytes are sent.
    case failed(reason: FailureReason, detail: String)

    /// OUTCOME.
    public static let type = MessageType.outcome
    /// The longest detail, in bytes.
    public static let maximumDetailLength = 256

    /// Whether a next header waits in the attester's memory for COMMIT.
    public var stagesHeader: Bool {
        if case .unlocked(_, .some) = self { true } else { false }
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("OUTCOME") { reader throws(ParseError) in
            let result = try reader.uint8("result")
            switch result {
            case 1:
                let proof: FixedBytes<32> = try reader.fixed("proof")
                let staged = try reader.opaque("staged_digest", lengthBytes: 1, within: 0...32)
                guard staged.isEmpty || staged.count == 32 else {
                    throw .invalid(field: "staged_digest", rule: "expected 0 or 32 bytes")
                }
                return .unlocked(proof: proof, stagedDigest: FixedBytes(staged))
            case 2:
                let reason: FailureReason = try reader.known("reason")
                let detail = try reader.opaque(
                    "detail", lengthBytes: 2, within: 0...Self.maximumDetailLength)
                // It is shown on an owner's terminal: nothing may steer that.
                guard detail.allSatisfy(Characters.isPrintable) else {
                    throw .invalid(field: "detail", rule: "expected printable ASCII")
                }
                return .failed(reason: reason, detail: String(decoding: detail, as: UTF8.self))
            default:
                throw .outOfRange(field: "result", value: UInt64(result))
            }
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .unlocked(let proof, let stagedDigest):
            writer.uint8(1)
            writer.fixed(proof)
            writer.opaque(stagedDigest?.bytes ?? [], lengthBytes: 1)
        case .failed(let reason, let detail):
            writer.uint8(2)
            writer.uint8(reason.rawValue)
            let printable = detail.utf8.prefix(Self.maximumDetailLength).map {
                Characters.isPrintable($0) ? $0 : UInt8(ascii: "?")
            }
            writer.opaque(printable, lengthBytes: 2)
        }
        return writer.bytes
    }
}

/// A proof of unlock that could not be delivered in its own connection.
public struct LateOutcome: Message, Equatable {
    /// LATE_OUTCOME.
    public static let type = MessageType.lateOutcome

    /// The launch it belongs to, as CHALLENGE named it.
    public let launchID: FixedBytes<16>
    /// The proof over that launch's binding.
    public let proof: FixedBytes<32>

    /// Both fields.
    public init(launchID: FixedBytes<16>, proof: FixedBytes<32>) {
        self.launchID = launchID
        self.proof = proof
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("LATE_OUTCOME") { reader throws(ParseError) in
            LateOutcome(
                launchID: try reader.fixed("launch_id"), proof: try reader.fixed("proof"))
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed(launchID)
        writer.fixed(proof)
        return writer.bytes
    }
}
