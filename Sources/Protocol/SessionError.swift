public import Bytes

/// Why a session ended before its time. Nothing in it is secret.
public enum SessionError: Error, Equatable, Sendable {
    /// The first byte of a frame is not the protocol's version.
    case wrongVersion(UInt8)
    /// No message has this type.
    case unknownType(UInt8)
    /// A known message that may not come in this state.
    case unexpectedMessage(MessageType)
    /// Bytes came although it is our turn to speak, or after the last message.
    case bytesOutOfTurn(count: Int)
    /// A header announces more than the type may hold.
    case bodyTooLong(MessageType, length: Int, maximum: Int)
    /// The body breaks a rule of its message.
    case malformed(MessageType, ParseError)
    /// A kind of evidence that the other side had not named.
    case evidenceKindNotAgreed(EvidenceKind)
    /// None of the kinds of evidence that the attester offers is wanted.
    case noEvidenceKind
    /// We tried to send something that this state does not allow.
    case cannotSend(MessageType)
    /// The session has failed before; only a new connection helps.
    case dead
}

extension SessionError: CustomStringConvertible {
    /// One line: what was expected, what came.
    public var description: String {
        switch self {
        case .wrongVersion(let version):
            "frame version: expected \(Frame.version), got \(version)"
        case .unknownType(let type):
            "frame type: \(type) is not known"
        case .unexpectedMessage(let type):
            "frame type: \(type) is not expected in this state"
        case .bytesOutOfTurn(let count):
            "\(count) bytes came out of turn, expected none"
        case .bodyTooLong(let type, let length, let maximum):
            "\(type) length: expected at most \(maximum), got \(length)"
        case .malformed(let type, let error):
            "\(type) \(error)"
        case .evidenceKindNotAgreed(let kind):
            "evidence kind: \(kind) was not agreed"
        case .noEvidenceKind:
            "evidence kinds: none in common"
        case .cannotSend(let type):
            "\(type) cannot be sent in this state"
        case .dead:
            "the session has failed before"
        }
    }
}
