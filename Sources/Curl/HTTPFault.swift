/// Why a request has no answer.
public enum HTTPFault: Error, Equatable, Sendable {
    /// Nobody listens there, or this user may not connect; the system's error number.
    case unreachable(errno: Int32, reason: String)
    /// No complete answer within the time allowed.
    case timedOut(milliseconds: Int)
    /// The answer is longer than the caller reads.
    case answerTooLong(limit: Int)
    /// The server closed the connection before its answer was complete.
    case truncated
    /// The name of the server, or of the proxy, has no address.
    case nameNotFound(reason: String)
    /// The server's certificate is not believed, or TLS failed.
    case untrusted(reason: String)
    /// The caller called the request off.
    case cancelled
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
        case .truncated: "the answer was cut off"
        case .nameNotFound(let reason): reason
        case .untrusted(let reason): reason
        case .cancelled: "called off"
        case .failed(let reason): reason
        }
    }
}
