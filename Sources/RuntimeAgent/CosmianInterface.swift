import AgentAPI
import Bytes
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import RuntimeCore

/// The paths of Cosmian's VM agent, with its JSON, for its clients.
///
/// Facts: crate/agent/src/endpoints.rs of cosmian_vm. What changes something needs a login here.
struct CosmianInterface: Sendable {
    private let parts: AgentParts
    private let log: Logger

    init(_ parts: AgentParts, _ log: Logger) {
        self.parts = parts
        self.log = log
    }

    func answer(_ request: Request, _ caller: Caller) async throws -> Response {
        switch request.uri.path {
        case "/ima/ascii":
            try request.mustBe(.get)
            return try await parts.imaLog(.ascii, caller).text()
        case "/ima/binary":
            try request.mustBe(.get)
            return try await parts.imaLog(.binary, caller).numbers()
        case "/snapshot": return try await snapshot(request, caller)
        case "/quote/tee":
            try request.mustBe(.get)
            return try await teeQuote(request, caller)
        case "/quote/tpm":
            try request.mustBe(.get)
            return try await tpmQuote(request, caller)
        case "/app/init":
            try request.mustBe(.post)
            try parts.logIn(request, caller, for: "app init", log)
            _ = try await parts.initialise(request, caller)
            return Self.null()
        case "/app/restart":
            try request.mustBe(.post)
            try parts.logIn(request, caller, for: "app restart", log)
            _ = try await parts.application { try $0.restart() }
            return Self.null()
        default:
            throw Refusal(.notFound, .absent, "there is no \(request.uri.path.prefix(128))")
        }
    }

    /// Asking for a snapshot that is not there begins one, which takes a login; its progress and the finished
    /// file are for everybody.
    private func snapshot(_ request: Request, _ caller: Caller) async throws -> Response {
        switch request.method {
        case .get:
            let status = parts.snapshots.status
            switch status.state {
            case .done: return try await parts.snapshotFile(caller)
            case .running: return Self.null(.accepted)
            case .failed:
                throw Refusal.unavailable(
                    "the snapshot failed: \(status.problem ?? "nobody knows why")")
            case .none:
                try parts.logIn(request, caller, for: "snapshot start", log)
                _ = try await parts.startSnapshot(caller)
                return Self.null(.accepted)
            }
        case .delete:
            try parts.logIn(request, caller, for: "snapshot delete", log)
            guard !parts.snapshots.isBusy else { throw Refusal.snapshotIsBusy }
            try await parts.workers.file { [parts] in parts.snapshots.delete() }
            return Self.null()
        default:
            try request.mustBe(.get, .delete)
            throw CancellationError()
        }
    }

    private func teeQuote(_ request: Request, _ caller: Caller) async throws -> Response {
        let bytes = try Self.nonce(request)
        guard let nonce = FixedBytes<32>(bytes) else {
            throw Refusal.malformed("nonce: expected 32 bytes, found \(bytes.count)")
        }
        let source = try parts.identity.evidence(for: caller)
        let quote = try await parts.evidence(caller) { try source.cosmianTEEQuote(nonce: nonce) }
        return JSON.response(
            ByteBuffer(string: "[\(quote.map(String.init).joined(separator: ","))]"))
    }

    private func tpmQuote(_ request: Request, _ caller: Caller) async throws -> Response {
        let nonce = try Self.nonce(request)
        let source = try parts.identity.evidence(for: caller)
        let quote = try await parts.evidence(caller) { try source.cosmianTPMQuote(nonce: nonce) }
        let members = [
            ("pcr_value_hash_method", quote.pcrHash), ("quote", Base64.encode(quote.quote)),
            ("signature", Base64.encode(quote.signature)),
            ("public_key", Base64.encode(quote.publicKey)),
        ].map { "\"\($0)\":\"\($1)\"" }
        return JSON.response(ByteBuffer(string: "{\(members.joined(separator: ","))}"))
    }

    private static func nonce(_ request: Request) throws(Refusal) -> [UInt8] {
        // A client that forgets to escape a plus sends what others read as a space.
        let text = try request.query("nonce")["nonce"]?.replacing(" ", with: "+")
        guard let text, let nonce = Base64.decode(text), (1...64).contains(nonce.count) else {
            throw .malformed("nonce: expected base64 of 1 to 64 bytes")
        }
        return nonce
    }

    private static func null(_ status: HTTPResponse.Status = .ok) -> Response {
        JSON.response(ByteBuffer(string: "null"), status)
    }
}
