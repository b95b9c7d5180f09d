import AgentAPI
import Bytes
import Hummingbird
import HummingbirdCore
import Linux
import Logging
import NIOCore
import NetIO
import OpenSSL
import RuntimeCore

/// The paths of ``AgentAPI/AgentPath``.
struct OwnInterface: Sendable {
    /// The longest body of a request that asks for evidence, in bytes.
    private static let evidenceLimit = 4096
    /// The longest list of paths, in bytes.
    private static let ownersLimit = 2 << 20
    /// A configuration as long as may be, in base64 that has nothing but escaped slashes, and what stands around it.
    static let applicationLimit = AppControl.configurationLimit / 3 * 8 + 1024

    private let parts: AgentParts
    private let log: Logger
    private let about: About

    init(_ parts: AgentParts, _ log: Logger) {
        self.parts = parts
        self.log = log
        about = About(parts)
    }

    func answer(_ request: Request, _ caller: Caller) async throws -> Response {
        switch request.uri.path {
        case AgentPath.about:
            try request.mustBe(.get)
            return try JSON.response(await about.status())
        case AgentPath.evidence:
            try request.mustBe(.post)
            return try JSON.response(await evidence(request, caller))
        case AgentPath.imaLog:
            try request.mustBe(.get)
            return try await imaLog(request, caller)
        case AgentPath.eventLog:
            try request.mustBe(.get)
            return try await eventLog(caller)
        case AgentPath.snapshot: return try await snapshot(request, caller)
        case AgentPath.snapshotFile:
            try request.mustBe(.get)
            return try await parts.snapshotFile(caller)
        case AgentPath.owners:
            try request.mustBe(.post)
            return try JSON.response(await owners(request, caller))
        case AgentPath.appStatus:
            try request.mustBe(.get)
            return try JSON.response(await parts.applicationStatus(request, caller))
        case AgentPath.appInit:
            try request.mustBe(.post)
            return try JSON.response(await initialise(request, caller))
        case AgentPath.app("start"), AgentPath.app("stop"), AgentPath.app("restart"):
            try request.mustBe(.post)
            return try JSON.response(await control(request, caller))
        default:
            throw Refusal(.notFound, .absent, "there is no \(request.uri.path.prefix(128))")
        }
    }

    private func evidence(_ request: Request, _ caller: Caller) async throws -> EvidenceAnswer {
        let body = try JSON.members(
            try await request.bytes(atMost: Self.evidenceLimit), known: ["nonce", "pcrs"])
        guard let nonce = body["nonce"]?.string.flatMap({ FixedBytes<32>(hex: $0) }) else {
            throw Refusal.malformed("nonce: expected 64 hexadecimal digits")
        }
        let registers = try (body["pcrs"]?.array ?? []).map { value throws(Refusal) in
            guard let index = value.integer, (0...23).contains(index) else {
                throw .malformed("pcrs: expected numbers from 0 to 23")
            }
            return index
        }
        guard registers.count <= 24, body["pcrs"].map({ $0.array != nil }) ?? true else {
            throw Refusal.malformed("pcrs: expected a list of at most 24 numbers")
        }
        let source = try parts.identity.evidence(for: caller)
        let made = try await parts.evidence(caller) {
            try source.evidence(
                nonce: nonce, exporter: caller.tls.channelBinding, pcrs: registers)
        }
        return EvidenceAnswer(
            statement: Base64.encode(made.statement), evidence: Base64.encode(made.evidence))
    }

    private func imaLog(_ request: Request, _ caller: Caller) async throws -> Response {
        let query = try request.query("form", "offset")
        guard let form = IMALog.Form(rawValue: query["form"] ?? "binary") else {
            throw Refusal.malformed("form: expected binary or ascii")
        }
        guard let offset = UInt64(query["offset"] ?? "0") else {
            throw Refusal.malformed("offset: expected a number of bytes")
        }
        return try await parts.imaLog(form, caller).response(
            from: offset, type: "application/octet-stream")
    }

    private func eventLog(_ caller: Caller) async throws -> Response {
        guard let path = parts.eventLogs.first(where: File.exists) else {
            throw Refusal(.notFound, .absent, "the kernel has no event log of this boot")
        }
        let place = try parts.streamGate.enter(from: caller.address)
        let file = try await parts.workers.file { OpenFile(try FileDescriptor(path, .read)) }
        return Stream(workers: parts.workers, place: place, source: file.read)
            .response(type: "application/octet-stream")
    }

    private func snapshot(_ request: Request, _ caller: Caller) async throws -> Response {
        switch request.method {
        case .get: return try JSON.response(parts.snapshots.status)
        case .post:
            try logIn(request, caller, for: "snapshot start")
            return try JSON.response(await parts.startSnapshot(caller), .accepted)
        case .delete:
            try logIn(request, caller, for: "snapshot delete")
            try await parts.workers.file { parts.snapshots.delete() }
            return try JSON.response(parts.snapshots.status)
        default:
            try request.mustBe(.get, .post, .delete)
            throw CancellationError()
        }
    }

    private func owners(_ request: Request, _ caller: Caller) async throws -> OwnersAnswer {
        let place = try parts.ownersGate.enter(from: caller.address)
        defer { withExtendedLifetime(place) {} }
        let body = try JSON.members(
            try await request.bytes(atMost: Self.ownersLimit), known: ["paths"])
        guard let values = body["paths"]?.array, values.count <= PackageDatabase.maximumPaths
        else {
            throw Refusal.malformed(
                "paths: expected a list of at most \(PackageDatabase.maximumPaths)")
        }
        let paths = try values.map { value throws(Refusal) in
            guard let path = value.string, path.hasPrefix("/"), path.utf8.count <= 4096 else {
                throw .malformed("paths: expected absolute paths of at most 4096 bytes")
            }
            return path
        }
        let packages = parts.packages
        return try await parts.workers.package {
            try packages.owners(of: OwnersRequest(paths: paths))
        }
    }

    private func initialise(_ request: Request, _ caller: Caller) async throws -> AppStatus {
        try logIn(request, caller, for: "app init")
        return try await parts.initialise(request, caller)
    }

    private func control(_ request: Request, _ caller: Caller) async throws -> AppStatus {
        let action = String(request.uri.path.split(separator: "/").last ?? "")
        try logIn(request, caller, for: "app \(action)")
        return try await parts.application { app in
            switch action {
            case "start": try app.start()
            case "stop": try app.stop()
            default: try app.restart()
            }
        }
    }

    private func logIn(_ request: Request, _ caller: Caller, for action: String) throws(Refusal) {
        try parts.logIn(request, caller, for: action, log)
    }
}
