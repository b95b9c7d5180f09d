import AgentAPI
import Bytes
import Hummingbird
import HummingbirdCore
import Linux
import Logging
import NIOCore
import NetIO
import RuntimeCore

/// What both interfaces do alike.
extension AgentParts {
    /// Throws unless the caller may change something; the journal has who did.
    func logIn(
        _ request: Request, _ caller: Caller, for action: String, _ log: Logger
    ) throws(Refusal) {
        let who: Logger.Metadata = ["action": "\(action)", "peer": "\(caller.address)"]
        do throws(Refusal) {
            let login = try access.login(
                authorization: request.headers[.authorization],
                clientKey: caller.tls.peerKeyDigest)
            log.info("login", metadata: who.merging(["by": "\(login)"]) { $1 })
        } catch {
            // Strangers shall not fill the journal.
            if warnings.take("logins", at: .now()) {
                log.warning(
                    "no login", metadata: who.merging(["reason": "\(error.message)"]) { $1 })
            }
            throw error
        }
    }

    /// Lets the hardware answer, after those who asked before.
    func evidence<T: Sendable>(
        _ caller: Caller, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        let place = try evidenceGate.enter(from: caller.address)
        defer { withExtendedLifetime(place) {} }
        do {
            return try await workers.hardware(body)
        } catch let error as RuntimeEvidenceError {
            throw Refusal(error)
        }
    }

    /// The kernel's log, from its start.
    func imaLog(_ form: IMALog.Form, _ caller: Caller) async throws -> Stream {
        guard ima.exists else {
            throw Refusal(
                .notFound, .absent,
                "the kernel has no IMA log; boot with ima_policy=tcb, see docs/ima-policy.md")
        }
        let place = try streamGate.enter(from: caller.address)
        let log = ima
        let file = try await workers.file { try log.open(form) }
        return Stream(workers: workers, place: place) { offset in
            try file.read(at: offset, upTo: Stream.pieceSize)
        }
    }

    /// Begins a snapshot of the machine as it is now.
    func startSnapshot(_ caller: Caller) async throws -> SnapshotStatus {
        guard !snapshots.isBusy else { throw Refusal.snapshotIsBusy }
        let source = identity.now.evidence
        let subject = source.subject
        let state = try await evidence(caller) { () -> MachineState? in
            do throws(RuntimeEvidenceError) {
                return try source.machineState()
            } catch {
                // A machine without a secure processor has files as well.
                if case .absent = error { return nil }
                throw error
            }
        }
        try await workers.file { [snapshots] in
            try snapshots.start(on: state, subject)
        }
        return snapshots.status
    }

    /// The finished snapshot.
    func snapshotFile(_ caller: Caller) async throws -> Response {
        let place = try streamGate.enter(from: caller.address)
        guard let file = try await workers.file({ [snapshots] in try snapshots.open() }) else {
            throw Refusal(.notFound, .absent, "there is no finished snapshot")
        }
        return Stream(workers: workers, place: place, source: file.read)
            .response(type: "application/json", count: file.size)
    }

    /// How the application is. Its configuration mostly holds secrets, so that even the digest is only for those
    /// who have a login.
    func applicationStatus(_ request: Request, _ caller: Caller) async throws -> AppStatus {
        let login = try? access.login(
            authorization: request.headers[.authorization], clientKey: caller.tls.peerKeyDigest)
        if login != nil { return try await applicationStatus() }
        let place = try statusGate.enter(from: caller.address)
        defer { withExtendedLifetime(place) {} }
        var status = try await applicationStatus()
        status.configurationDigest = nil
        return status
    }

    private func applicationStatus() async throws -> AppStatus {
        if let known = lastAppStatus.value() { return known }
        return try await serving { [lastAppStatus] app in
            // Whoever waited behind another one finds its answer.
            if let known = lastAppStatus.value() { return known }
            let status = try app.status()
            lastAppStatus.remember(status)
            return status
        }
    }

    /// Lets the application be driven.
    func application(
        _ body: @escaping @Sendable (AppControl) throws -> AppStatus
    ) async throws -> AppStatus {
        try await serving { [lastAppStatus] app in
            lastAppStatus.forget()
            return try body(app)
        }
    }

    private func serving(
        _ body: @escaping @Sendable (AppControl) throws -> AppStatus
    ) async throws -> AppStatus {
        guard let app else {
            throw Refusal(
                .notFound, .absent, "no application is configured: agent.toml has no [app]")
        }
        do {
            return try await workers.service { try body(app) }
        } catch let error as AppError {
            throw Refusal(error)
        }
    }

    /// Writes the application's configuration; the login was looked at before.
    func initialise(_ request: Request, _ caller: Caller) async throws -> AppStatus {
        let place = try configurationGate.enter(from: caller.address)
        defer { withExtendedLifetime(place) {} }
        var body = try await request.bytes(atMost: OwnInterface.applicationLimit)
        defer { body.wipe() }
        let content = try JSON.content(of: body)
        return try await application { app in
            var content = content
            defer { content.wipe() }
            return try app.initialise(content)
        }
    }
}

extension Refusal {
    static let snapshotIsBusy = Refusal(
        .conflict, .busy, "a snapshot is being made; ask for its status, or delete it first")

    init(_ error: RuntimeEvidenceError) {
        switch error {
        case .absent: self.init(.notFound, .absent, error.description)
        case .unusable: self.init(.badRequest, .malformed, error.description)
        case .unavailable, .keyChanged: self = .unavailable(error.description)
        }
    }

    init(_ error: AppError) {
        switch error {
        case .tooLong: self.init(.contentTooLarge, .tooLarge, error.description)
        case .unencrypted: self.init(.conflict, .unavailable, error.description)
        case .unusable, .system, .refused: self = .unavailable(error.description)
        }
    }

    init(_ error: SnapshotFault) {
        switch error {
        case .busy: self = .snapshotIsBusy
        default: self = .unavailable(error.description)
        }
    }
}
