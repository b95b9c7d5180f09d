import BrokerCore
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Linux
import NIOCore
import Store

/// `/healthz` and `/metrics`, for a loopback address.
struct HealthResponder: HTTPResponder {
    let store: any BrokerStore
    let metrics: Metrics

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        guard request.method == .get else { return Self.text(.methodNotAllowed, "GET only\n") }
        switch request.uri.path {
        case "/healthz":
            do {
                _ = try await store.counts()
                return Self.text(.ok, "ok\n")
            } catch {
                return Self.text(.serviceUnavailable, "the ledger is not available\n")
            }
        case "/metrics": return Self.text(.ok, metrics.exposition())
        default: return Self.text(.notFound, "/healthz or /metrics\n")
        }
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
