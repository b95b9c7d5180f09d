import AdminAPI
import Bytes
import Endorsements
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import OpenSSL
import Store

/// What a request arrived by.
struct ConnectionContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }
}

/// The admin API over HTTP; ``AdminAPI/AdminPath`` lists the paths.
struct AdminResponder: HTTPResponder {
    let service: AdminService
    let gatekeeper: SocketGatekeeper
    let log: Logger

    /// No body that this API knows needs more: a policy of 256 KiB, escaped.
    private static let bodyLimit = 1 << 19

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        do {
            try await gatekeeper.check(context.channel)
            return try await answer(request)
        } catch {
            return Self.response(to: error, log)
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        let parts = request.uri.path.split(separator: "/").map {
            $0.removingPercentEncoding ?? String($0)
        }
        guard parts.first == "v1" else { throw Self.unknownPath(request) }
        switch (request.method, parts.count, parts.dropFirst().first) {
        case (.get, 2, "status"): return try Self.json(await service.status())
        case (_, _, "endorsements"):
            return try await endorsements(request, Array(parts.dropFirst(2)))
        case (_, _, "policies"): return try await policies(request, Array(parts.dropFirst(2)))
        case (_, _, "vms"): return try await vms(request, Array(parts.dropFirst(2)))
        case (.get, 2, "launches"):
            return try Self.json(await service.launches(try filter(request)))
        case (.get, 3, "launches"): return try Self.json(await service.launch(parts[2]))
        case (.get, 3, "reports"): return try Self.json(await service.report(parts[2]))
        default: throw Self.unknownPath(request)
        }
    }

    private func endorsements(_ request: Request, _ rest: [String]) async throws -> Response {
        switch (request.method, rest) {
        case (.get, []): return try Self.json(await service.endorsements())
        case (.get, ["bundle"]):
            return Response(
                status: .ok, headers: [.contentType: "application/x-tar"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: try service.endorsementBundle())))
        case (.put, ["bundle"]):
            let bytes = try await body(of: request, atMost: EndorsementBundle.maximumCount)
            return try Self.json(service.importEndorsements(bytes))
        default: throw Self.unknownPath(request)
        }
    }

    private func policies(_ request: Request, _ rest: [String]) async throws -> Response {
        switch (request.method, rest) {
        case (.get, []): return try Self.json(await service.policies())
        case (.post, ["check"]): return try Self.json(service.check(try await decode(request)))
        case (.get, _) where rest.count == 1: return try Self.json(await service.policy(rest[0]))
        case (.put, _) where rest.count == 1:
            return try Self.json(await service.save(try await decode(request), as: rest[0]))
        default: throw Self.unknownPath(request)
        }
    }

    private func vms(_ request: Request, _ rest: [String]) async throws -> Response {
        switch (request.method, rest.count) {
        case (.get, 0): return try Self.json(await service.vms())
        case (.get, 1): return try Self.json(await service.vm(rest[0]))
        case (.put, 1): return try Self.json(await enrol(request, rest[0]))
        case (.delete, 1): return try Self.json(await service.remove(rest[0]))
        case (.post, 2) where rest[1] == "disable":
            let body: DisableRequest? = try await decodeIfAny(request)
            return try Self.json(
                await service.setEnabled(false, rest[0], reason: body?.reason))
        case (.post, 2) where rest[1] == "enable":
            return try Self.json(await service.setEnabled(true, rest[0], reason: nil))
        case (_, 2...): return try await runtime(request, rest[0], Array(rest.dropFirst()))
        default: throw Self.unknownPath(request)
        }
    }

    /// The two secrets leave the body before a decoder sees it, and the body is wiped.
    private func enrol(_ request: Request, _ id: String) async throws -> VMRecord {
        var fields = SecretFields(taking: try await body(of: request))
        defer { fields.wipe() }
        let key = try fields.take("key")
        let proofKey = try fields.take("proofKey")
        let terms: EnrolmentTerms = try Self.decode(fields.rest)
        return try await service.enrol(
            id, Enrolment(terms: terms, key: key, proofKey: proofKey))
    }

    private func filter(_ request: Request) throws(AdminFault) -> LaunchFilter {
        var filter = LaunchFilter()
        for (name, value) in request.uri.queryParameters {
            switch name {
            case "vm": filter.vm = value.removingPercentEncoding ?? String(value)
            case "decision":
                guard let decision = LaunchDecision(rawValue: String(value)) else {
                    throw AdminFault(
                        .invalid, "expected released, refused or held", field: "decision")
                }
                filter.decision = decision
            case "limit":
                guard let limit = Int(value), (1...1000).contains(limit) else {
                    throw AdminFault(.invalid, "expected 1 to 1000", field: "limit")
                }
                filter.limit = limit
            default:
                throw AdminFault(
                    .invalid, "expected vm, decision or limit", field: String(name))
            }
        }
        return filter
    }

    private func body(
        of request: Request, atMost limit: Int = Self.bodyLimit
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        // One allocation, so that no outgrown copy of a secret stays behind.
        bytes.reserveCapacity(Self.bodyLimit)
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= limit else {
                bytes.wipe()
                throw AdminFault(.tooLarge, "expected at most \(limit) bytes")
            }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    func decode<T: Decodable>(_ request: Request) async throws -> T {
        try Self.decode(try await body(of: request))
    }

    private func decodeIfAny<T: Decodable>(_ request: Request) async throws -> T? {
        let bytes = try await body(of: request)
        return bytes.isEmpty ? nil : try Self.decode(bytes)
    }

    private static func decode<T: Decodable>(_ bytes: [UInt8]) throws(AdminFault) -> T {
        do {
            return try JSONDecoder().decode(T.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw AdminFault(error)
        } catch {
            throw AdminFault(.invalid, "expected a JSON object")
        }
    }

    static func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok)
        throws -> Response
    {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    static func unknownPath(_ request: Request) -> AdminFault {
        AdminFault(.notFound, "there is no \(request.method) \(request.uri.path)")
    }

    private static func response(to error: any Error, _ log: Logger) -> Response {
        let fault = AdminFault(answering: error)
        if fault.code == .internal {
            log.error("admin request failed", metadata: ["reason": "\(error)"])
        }
        let status = HTTPResponse.Status(code: fault.status)
        let body = try? json(AdminFaultBody(error: fault), status)
        return body ?? Response(status: status)
    }
}

extension AdminFault {
    /// Names the member that the decoder stumbled over; its own text could repeat a value.
    init(_ error: DecodingError) {
        let (path, message): ([any CodingKey], String) =
            switch error {
            case .typeMismatch(let type, let context):
                (context.codingPath, "expected \(Self.name(type)), got another type")
            case .valueNotFound(let type, let context):
                (context.codingPath, "expected \(Self.name(type)), got null")
            case .keyNotFound(let key, let context):
                (context.codingPath + [key], "expected a value, got nothing")
            case .dataCorrupted(let context): (context.codingPath, "expected valid JSON")
            @unknown default: ([], "expected a JSON object")
            }
        let field = path.map(\.stringValue).joined(separator: ".")
        self.init(.invalid, message, field: field.isEmpty ? nil : field)
    }

    init(answering error: any Error) {
        switch error {
        case let fault as AdminFault: self = fault
        case StoreError.missing(let what, let name):
            self.init(.notFound, "there is no \(what) \(name)")
        case StoreError.conflict(let what, let name):
            self.init(.conflict, "\(what) \(name) was changed at the same time; try again")
        default: self.init(.internal, "the broker could not do it; its log says more")
        }
    }

    private static func name(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Int.Type: "an integer"
        default: "an object"
        }
    }
}
