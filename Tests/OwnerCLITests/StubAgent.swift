import AgentAPI
import Bytes
import Evidence
import Foundation
import OpenSSL
import Synchronization

/// An agent in one process with the tests: real TLS 1.3, the paths of docs/runtime.md, and a simulated VM.
final class StubAgent: Sendable {
    struct State {
        var vm: SimulatedVM
        /// What the next snapshot is.
        var snapshot: [UInt8] = []
        var job = SnapshotStatus(state: .none)
        var owners: [OwnersAnswer.Owner] = []
        var app = AppStatus(serviceType: "systemd", serviceName: "web", state: "running")
        var configuration: [UInt8]?
        var requests: [String] = []
        var authorizations: [String?] = []
        var connections = 0
        /// Whoever changes something has to send it, or to prove `clientKey`.
        var token = "secret-token"
        /// SHA-256 of the public key of a client that may change something.
        var clientKey: FixedBytes<32>?
        /// What the statement says instead of the certificate that is served.
        var otherCertificate: FixedBytes<32>?
        /// How much of a snapshot is promised and never sent, in bytes.
        var withheld = 0
        /// What answers a target instead.
        var answers: [String: (status: Int, body: String)] = [:]
    }

    let state: Mutex<State>
    let port: UInt16
    let certificate: X509Certificate
    let privateKeyPEM: [UInt8]
    private let context: TLSServerContext
    private let listener: Int32

    var url: String { "https://localhost:\(port)" }

    init(_ vm: SimulatedVM) throws {
        state = Mutex(State(vm: vm))
        let key = try SigningKey.generate(.p256)
        let name = CertificateTemplate.Name(commonName: "web-1.example")
        var template = CertificateTemplate(
            subject: name, issuer: name, serial: [1], notBefore: 0, notAfter: 4_000_000_000,
            signature: .ecdsaSHA256)
        template.alternativeNames = ["localhost"]
        certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        let pem = try key.pem()
        privateKeyPEM = unsafe pem.withBytes { unsafe Array($0) }
        context = try TLSServerContext(httpsCertificatePEM: certificate.pem, privateKeyPEM: pem)
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: Glibc.sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [self] in
            while case let connection = accept(listener, nil, nil),
                connection >= 0
            {
                state.withLock { $0.connections += 1 }
                Thread { [self] in
                    serve(connection)
                    close(connection)
                }.start()
            }
            close(listener)
        }
        thread.start()
    }

    func stop() {
        _ = shutdown(listener, Int32(SHUT_RDWR))
    }

    private func serve(_ connection: Int32) {
        guard let engine = try? TLSEngine(server: context) else { return }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        var isEstablished = false
        while true {
            let got = unsafe read(connection, &buffer, buffer.count)
            guard got > 0, (try? engine.receive(Array(buffer[..<got]))) != nil else { return }
            if !isEstablished { isEstablished = (try? engine.handshake()) == true }
            send(engine.takeOutput(), connection)
            guard isEstablished else { continue }
            guard let more = try? engine.read() else { return }
            received += more
            while let request = Self.request(&received) {
                guard let binding = try? engine.channelBinding() else { return }
                let answer = answer(request, binding, engine.peerKeyDigest)
                let head =
                    "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.count)\r\n\r\n"
                let withheld =
                    request.target == AgentPath.snapshotFile ? state.withLock { $0.withheld } : 0
                for part in [Array(head.utf8), answer.body.dropLast(withheld)] {
                    guard (try? engine.write(part)) != nil else { return }
                    send(engine.takeOutput(), connection)
                }
            }
            if engine.peerHasClosed { return }
        }
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    connection, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    private struct Request {
        let method: String
        let target: String
        let authorization: String?
        let body: [UInt8]
    }

    private static func request(_ bytes: inout [UInt8]) -> Request? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        func header(_ name: String) -> String? {
            lines.first { $0.lowercased().hasPrefix(name + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
        let length = header("content-length").flatMap { Int($0) } ?? 0
        guard bytes.count >= end.upperBound + length else { return nil }
        let words = lines[0].components(separatedBy: " ")
        let body = Array(bytes[end.upperBound..<end.upperBound + length])
        bytes.removeFirst(end.upperBound + length)
        return Request(
            method: words[0], target: words[1], authorization: header("authorization"), body: body)
    }

    private func answer(
        _ request: Request, _ binding: FixedBytes<32>, _ clientKey: FixedBytes<32>?
    ) -> (status: Int, body: [UInt8]) {
        state.withLock { state in
            state.requests.append("\(request.method) \(request.target)")
            state.authorizations.append(request.authorization)
            if let fixed = state.answers[request.target] {
                return (fixed.status, Array(fixed.body.utf8))
            }
            let isChange =
                request.method != "GET" && request.target != AgentPath.evidence
                && request.target != AgentPath.owners
            let isKnown = clientKey != nil && clientKey == state.clientKey
            if isChange, !isKnown, request.authorization != "Bearer \(state.token)" {
                return Self.fault(401, AgentFault(code: "login", message: "a login is needed"))
            }
            return Self.answer(request, binding, certificate, &state)
        }
    }

    private static func answer(
        _ request: Request, _ binding: FixedBytes<32>, _ certificate: X509Certificate,
        _ state: inout State
    ) -> (status: Int, body: [UInt8]) {
        switch (request.method, request.target) {
        case ("GET", AgentPath.about):
            return json(
                AgentStatus(
                    version: "stub", vm: state.vm.statement.vm, evidence: "snp", hasTPM: true,
                    hasIMALog: true, logins: 1))
        case ("POST", AgentPath.evidence):
            guard
                let asked = try? JSONDecoder().decode(
                    EvidenceRequest.self, from: Data(request.body)),
                let nonce = FixedBytes<32>(hex: asked.nonce),
                let made = try? state.vm.evidence(
                    nonce: nonce, exporter: binding,
                    certificate: state.otherCertificate
                        ?? OpenSSLHashing().sha256(certificate.der))
            else { return fault(400, AgentFault(code: "malformed", message: "no evidence")) }
            return json(
                EvidenceAnswer(
                    statement: Base64.encode(made.statement),
                    evidence: Base64.encode(made.evidence)))
        case ("GET", let target) where target.hasPrefix(AgentPath.imaLog + "?form=binary&offset="):
            let offset = Int(target.split(separator: "=").last ?? "") ?? 0
            return (200, Array(state.vm.logBytes.dropFirst(offset)))
        case ("POST", AgentPath.snapshot):
            let digest = OpenSSLHashing().sha256(state.snapshot)
            state.vm.statement.snapshot = digest
            state.job = SnapshotStatus(
                state: .done, files: 2, bytes: 10, size: Int64(state.snapshot.count),
                digest: digest.hex)
            return json(state.job)
        case ("GET", AgentPath.snapshot): return json(state.job)
        case ("GET", AgentPath.snapshotFile): return (200, state.snapshot)
        case ("POST", AgentPath.owners): return json(OwnersAnswer(owners: state.owners))
        case ("GET", AgentPath.appStatus): return json(state.app)
        case ("POST", AgentPath.appInit):
            let sent = try? JSONDecoder().decode(AppConfiguration.self, from: Data(request.body))
            state.configuration = sent.flatMap { Base64.decode($0.content) }
            state.app.configurationDigest = state.configuration.map {
                OpenSSLHashing().sha256($0).hex
            }
            return json(state.app)
        case ("POST", AgentPath.app("stop")):
            state.app.state = "stopped"
            return json(state.app)
        case ("DELETE", AgentPath.snapshot):
            state.job = SnapshotStatus(state: .none)
            return json(state.job)
        default: return fault(404, AgentFault(code: "absent", message: "no \(request.target)"))
        }
    }

    private static func json(_ value: some Encodable) -> (status: Int, body: [UInt8]) {
        (200, (try? JSONEncoder().encode(value)).map { Array($0) } ?? [])
    }

    private static func fault(_ status: Int, _ fault: AgentFault) -> (status: Int, body: [UInt8]) {
        (status, json(fault).body)
    }
}
