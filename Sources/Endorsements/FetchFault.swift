public import Curl
public import Linux

/// Why a document did not come from its vendor.
public enum FetchFault: Error, Equatable, Sendable {
    /// There is no answer.
    case transport(HTTPFault)
    /// Status 429: too many requests. What `Retry-After` says, in seconds.
    case limited(retryAfter: Int?)
    /// A status of 500 and above. What `Retry-After` says, in seconds.
    case unavailable(status: Int, retryAfter: Int?)
    /// The service says that there is no such document, or not for us.
    case refused(status: Int)
    /// The service sends us elsewhere; nobody goes there.
    case redirected(status: Int)
    /// What came is not the document that was asked for; `rule` says what one looks like.
    case wrongContent(rule: String)
    /// What came was issued before what is there already.
    case older
    /// It came and could not be kept.
    case storage(SystemError)

    /// Whether asking again soon may help; otherwise somebody has to do something first.
    public var isTransient: Bool {
        switch self {
        case .transport(.answerTooLong), .transport(.untrusted): false
        case .transport, .limited, .unavailable, .storage: true
        case .refused, .redirected, .wrongContent, .older: false
        }
    }

    /// How long the service wants to be left alone, in seconds.
    var retryAfter: Int? {
        switch self {
        case .limited(let seconds), .unavailable(_, let seconds): seconds
        default: nil
        }
    }
}

extension FetchFault: CustomStringConvertible {
    /// One line: what went wrong.
    public var description: String {
        switch self {
        case .transport(let fault): "\(fault)"
        case .limited(let seconds): "too many requests (status 429\(Self.wait(seconds)))"
        case .unavailable(let status, let seconds):
            "the service is not available (status \(status)\(Self.wait(seconds)))"
        case .refused(404): "the service has no such document (status 404)"
        case .refused(let status): "the service refuses it (status \(status))"
        case .redirected(let status): "the service sends elsewhere (status \(status)), not followed"
        case .wrongContent(let rule): "not the document asked for: \(rule)"
        case .older: "older than what is there already"
        case .storage(let error): "cannot be kept: \(error)"
        }
    }

    private static func wait(_ seconds: Int?) -> String {
        seconds.map { ", come back in \($0) s" } ?? ""
    }
}
