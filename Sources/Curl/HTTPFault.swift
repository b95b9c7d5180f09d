/// Why a request has no answer.
public enum HTTPFault: Error, Equatable, Sendable {
    /// Nobody listens there, or this user may not connect; the system's error number.
    case unreachable(errno: Int32, reason: String)
    /// No complete answer within the time allowed.
    case timedOut(milliseconds: Int)
    /// The answer is longer than the caller reads.
    case answerTooLong(limit: Int)
    /// Anything else, in libcurl's words.
    case failed(reason: String)
}

extension HTTPFault: CustomStringConvertible {
    /// One line: what went wrong.
    public var description: String {
        switch self {
        case .unreachable(_, let reason): reason
        case .timedOut(let milliseconds): "no answer within \(milliseconds) ms"
        case .answerTooLong(let limit): "the answer is longer than \(limit) bytes"
        case .failed(let reason): reason
        }
    }
}
