import AgentAPI
import Bytes
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Linux
import Logging
import NIOCore
import NetIO

/// What Hummingbird knows of a request beside the request.
struct AgentContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }
}

/// Both interfaces: our own below `/v1`, and Cosmian's beside it.
struct AgentResponder: HTTPResponder {
    private let parts: AgentParts
    private let own: OwnInterface
    private let cosmian: CosmianInterface
    private let log: Logger

    init(_ parts: AgentParts, _ log: Logger) {
        self.parts = parts
        self.log = log
        own = OwnInterface(parts, log)
        cosmian = CosmianInterface(parts, log)
    }

    func respond(to request: Request, context: AgentContext) async throws -> Response {
        let isOwn = request.uri.path.hasPrefix("/v1/")
        do {
            let caller = try await Caller(context.channel)
            guard parts.rates.take(caller.address, at: .now()) else {
                throw Refusal(
                    .tooManyRequests, .limit, "too many requests from this address",
                    headers: [.retryAfter: "1"])
            }
            return isOwn
                ? try await own.answer(request, caller)
                : try await cosmian.answer(request, caller)
        } catch  where Self.isPeersFault(error) {
            // There is nobody to answer any more, and the library ends the connection.
            throw error
        } catch {
            return (isOwn ? FaultForm.json : .text).response(to: error, log, parts.warnings)
        }
    }

    private static func isPeersFault(_ error: any Error) -> Bool {
        error is ChannelError || error is CancellationError
    }
}

extension Request {
    /// The whole body, at most `limit` bytes.
    func bytes(atMost limit: Int) async throws -> [UInt8] {
        let tooLarge = Refusal(
            .contentTooLarge, .tooLarge, "expected at most \(limit) bytes", endsConnection: true)
        if let length = headers[.contentLength].flatMap(Int.init), length > limit {
            throw tooLarge
        }
        var bytes: [UInt8] = []
        do {
            for try await part in body {
                guard bytes.count + part.readableBytes <= limit else { throw tooLarge }
                bytes += part.readableBytesView
            }
            return bytes
        } catch {
            bytes.wipe()
            // The peer's fault, whatever the libraries call it.
            throw error as? Refusal
                ?? Refusal(
                    .badRequest, .malformed, "the body cannot be read to its end",
                    endsConnection: true)
        }
    }

    /// Throws unless the method is one of `methods`.
    func mustBe(_ methods: HTTPRequest.Method...) throws(Refusal) {
        guard !methods.contains(method) else { return }
        let names = methods.map(\.rawValue).joined(separator: ", ")
        throw Refusal(
            .methodNotAllowed, .malformed, "\(uri.path): expected \(names)",
            headers: [.allow: names])
    }

    /// The values of the query, each at most once and each of `known`.
    func query(_ known: String...) throws(Refusal) -> [String: String] {
        var values: [String: String] = [:]
        for (name, value) in uri.queryParameters {
            guard known.contains(String(name)) else {
                throw .malformed(
                    "unknown parameter \(String(name.prefix(64)).debugDescription); expected "
                        + known.joined(separator: ", "))
            }
            guard values.updateValue(String(value), forKey: String(name)) == nil else {
                throw .malformed("parameter \(name) is given twice")
            }
        }
        return values
    }
}
