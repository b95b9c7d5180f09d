public import Bytes

/// The types of frame of protocol version 1.
public enum MessageType: UInt8, Sendable, CaseIterable {
    case hello = 1
    case challenge = 2
    case evidence = 3
    case release = 4
    case refused = 5
    case held = 6
    case outcome = 7
    case commit = 8
    case close = 9
    case lateOutcome = 10
    case logWanted = 11
    case log = 12

    /// The longest body that any sender may give this type, in bytes.
    public var maximumBodyLength: Int {
        switch self {
        case .hello: 212
        case .challenge: 73
        case .evidence: 512 * 1024
        case .release: 2082
        case .refused: 34
        case .held: 35
        case .outcome: 260
        case .commit, .close: 0
        case .lateOutcome: 48
        case .logWanted: 8
        case .log: 4 + LogPart.maximumLength
        }
    }
}

extension MessageType: CustomStringConvertible {
    /// The name in docs/protocol.md.
    public var description: String {
        switch self {
        case .hello: "HELLO"
        case .challenge: "CHALLENGE"
        case .evidence: "EVIDENCE"
        case .release: "RELEASE"
        case .refused: "REFUSED"
        case .held: "HELD"
        case .outcome: "OUTCOME"
        case .commit: "COMMIT"
        case .close: "CLOSE"
        case .lateOutcome: "LATE_OUTCOME"
        case .logWanted: "LOG_WANTED"
        case .log: "LOG"
        }
    }
}

/// One frame: a header of version, type and length, then the body.
public struct Frame: Equatable, Sendable {
    /// The version of the protocol that this module speaks.
    public static let version: UInt8 = 1
    /// Bytes of a header: version, type, and a length of four bytes.
    public static let headerLength = 6

    /// What the body is.
    public let type: MessageType
    /// The encoded message.
    public let body: [UInt8]

    /// A frame around an encoded message.
    public init(type: MessageType, body: [UInt8]) {
        self.type = type
        self.body = body
    }

    /// Header and body, as they go over the wire and as the binding hashes them.
    public func encoded() -> [UInt8] {
        Self.encode(type, body)
    }

    /// The bytes of a frame of `type` around `body`.
    public static func encode(_ type: MessageType, _ body: [UInt8] = []) -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(version)
        writer.uint8(type.rawValue)
        writer.opaque(body, lengthBytes: 4)
        return writer.bytes
    }
}

extension Frame {
    /// The message in the body; its faults are named after the frame's type.
    func message<M: Message>(_ type: M.Type = M.self) throws(SessionError) -> M {
        do {
            return try M(parsing: body)
        } catch {
            throw .malformed(self.type, error)
        }
    }
}

/// A message that has a body of its own.
public protocol Message: Sendable {
    /// The type of its frame.
    static var type: MessageType { get }
    /// Parses exactly one body.
    init(parsing body: [UInt8]) throws(ParseError)
    /// The body.
    func encoded() -> [UInt8]
}

extension Message {
    /// Header and body.
    public func frame() -> [UInt8] {
        Frame.encode(Self.type, encoded())
    }
}
