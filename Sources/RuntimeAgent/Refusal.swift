import AgentAPI
import Bytes
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Linux
import Logging
import NIOCore
import NetIO

/// A request that is not done, and why.
struct Refusal: Error {
    /// Kinds of refusal, in the words of ``AgentAPI/AgentFault``.
    enum Code: String {
        case malformed
        case login
        case busy
        case limit
        case absent
        case unavailable
        case tooLarge
        case `internal`
    }

    var status: HTTPResponse.Status
    var code: Code
    var message: String
    var headers: HTTPFields = [:]
    /// Whether the rest of the request is not worth waiting for.
    var endsConnection = false

    init(
        _ status: HTTPResponse.Status, _ code: Code, _ message: String, headers: HTTPFields = [:],
        endsConnection: Bool = false
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        self.endsConnection = endsConnection
    }

    /// Whether the fault is on this side, so that the journal is to have it too; that others ask as well is none.
    var isOurs: Bool { status.code >= 500 && code != .busy }

    static func malformed(_ message: String) -> Refusal {
        Refusal(.badRequest, .malformed, message)
    }

    static func unavailable(_ message: String) -> Refusal {
        Refusal(.serviceUnavailable, .unavailable, message)
    }

    static func busy(_ message: String) -> Refusal {
        Refusal(.serviceUnavailable, .busy, message, headers: [.retryAfter: "1"])
    }
}

/// How refusals look on the wire.
enum FaultForm {
    /// ``AgentAPI/AgentFault`` as JSON.
    case json
    /// One line of text, as Cosmian's agent has it.
    case text

    /// The answer to a request that failed; what is our own fault goes to `log` under the reference, as often as
    /// `warnings` allows.
    func response(
        to error: any Error, _ log: Logger, _ warnings: AddressRates
    ) -> Response {
        var refusal =
            error as? Refusal
            ?? Refusal(
                .internalServerError, .internal, "the agent could not do it; its journal says why")
        var reference: String?
        if refusal.isOurs, warnings.take("faults", at: .now()) {
            let made = "A-\(Hex.encode(Random.bytes(5)))"
            reference = made
            log.warning(
                "request failed",
                metadata: [
                    "reference": "\(made)", "code": "\(refusal.code.rawValue)",
                    "reason": error is Refusal ? "\(refusal.message)" : "\(error)",
                ])
        }
        if refusal.endsConnection { refusal.headers[.connection] = "close" }
        switch self {
        case .json:
            refusal.headers[.contentType] = "application/json"
            let fault = AgentFault(
                code: refusal.code.rawValue, message: refusal.message, reference: reference)
            let body = (try? JSON.encode(fault)) ?? ByteBuffer()
            return Response(
                status: refusal.status, headers: refusal.headers,
                body: ResponseBody(byteBuffer: body))
        case .text:
            refusal.headers[.contentType] = "text/plain; charset=utf-8"
            let text = refusal.message + (reference.map { " (reference \($0))" } ?? "") + "\n"
            return Response(
                status: refusal.status, headers: refusal.headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }
}
