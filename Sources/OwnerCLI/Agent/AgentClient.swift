import AgentAPI
import Bytes
import Curl
import FoundationEssentials
import Glibc
import OpenSSL

/// The agent in a running VM, as its owner talks to it: one connection for all requests.
///
/// What it answers is believed for nothing; evidence is what counts, and ``peer`` is what ties an answer to it.
final class AgentClient {
    /// The longest answer that is JSON, in bytes.
    private static let longestAnswer = 8 << 20
    /// The longest snapshot and the longest log, in bytes.
    private static let longestFile = 2 << 30

    let address: ServerAddress
    /// Whether TLS alone says nothing of who answers.
    let takesAnyCertificate: Bool
    private let http: HTTPSSession
    private let seen = SeenPeer()
    /// SHA-256 of the certificate that evidence was found to vouch for.
    private var vouchedFor: FixedBytes<32>?

    init(
        _ address: ServerAddress, trust: HTTPSSession.Trust, login: HTTPSSession.Login,
        token: borrowing SecretBytes
    ) throws(Failure) {
        self.address = address
        takesAnyCertificate = trust == .none
        let seen = seen
        do throws(HTTPFault) {
            http = try unsafe HTTPSSession(
                origin: address.origin, trust: trust, login: login, token: token,
                observe: { unsafe seen.look(at: $0) })
        } catch {
            throw Failure(.internal, "\(error)")
        }
    }

    /// Certificate and exporter of the connection that the newest answer came by.
    var peer: TLSPeer {
        get throws(Failure) {
            guard let peer = seen.peer else {
                throw Failure(
                    .internal, "libcurl does not tell the TLS connection that it used",
                    next: "Next: use a libcurl that was built with OpenSSL.")
            }
            return peer
        }
    }

    /// Lets requests that change something go to whoever serves this certificate.
    func believe(_ certificate: FixedBytes<32>) {
        vouchedFor = certificate
    }

    func about() throws(Failure) -> AgentStatus { try get(AgentPath.about) }

    func evidence(nonce: FixedBytes<32>) throws(Failure) -> EvidenceAnswer {
        try post(AgentPath.evidence, EvidenceRequest(nonce: nonce.hex))
    }

    /// The kernel's IMA log from byte `offset` to the end that it has now; how many bytes came.
    func imaLog(from offset: Int, into sink: @escaping ([UInt8]) -> Bool) throws(Failure) -> Int {
        try download("\(AgentPath.imaLog)?form=binary&offset=\(offset)", sink)
    }

    func snapshot() throws(Failure) -> SnapshotStatus { try get(AgentPath.snapshot) }

    /// Starts a snapshot.
    func startSnapshot() throws(Failure) {
        _ = try change(.post, AgentPath.snapshot)
    }

    /// Stops the snapshot that is being made, or deletes the one that is there.
    func cancelSnapshot() throws(Failure) -> SnapshotStatus {
        try decode(change(.delete, AgentPath.snapshot))
    }

    /// The finished snapshot; how many bytes came.
    func snapshotFile(into sink: @escaping ([UInt8]) -> Bool) throws(Failure) -> Int {
        try download(AgentPath.snapshotFile, sink)
    }

    /// What the package managers say of files, 1000 at a time.
    func owners(of paths: [String]) throws(Failure) -> [OwnersAnswer.Owner] {
        var owners: [OwnersAnswer.Owner] = []
        var rest = paths[...]
        while !rest.isEmpty {
            let answer: OwnersAnswer = try post(
                AgentPath.owners, OwnersRequest(paths: Array(rest.prefix(1000))))
            owners += answer.owners
            rest = rest.dropFirst(1000)
        }
        return owners
    }

    func appStatus() throws(Failure) -> AppStatus { try get(AgentPath.appStatus) }

    /// Gives the application its configuration; the agent then starts it anew.
    func configure(app content: [UInt8]) throws(Failure) -> AppStatus {
        try decode(
            change(
                .post, AgentPath.appInit,
                Self.json(AppConfiguration(content: Base64.encode(content)))))
    }

    func app(_ action: String) throws(Failure) -> AppStatus {
        try decode(change(.post, AgentPath.app(action)))
    }

    private func get<Value: Decodable>(_ target: String) throws(Failure) -> Value {
        try decode(send(.get, target))
    }

    private func post<Value: Decodable>(
        _ target: String, _ body: some Encodable
    ) throws(Failure) -> Value {
        try decode(send(.post, target, Self.json(body)))
    }

    private static func json(_ body: some Encodable) -> [UInt8] {
        Array(JSONText.compact(body).utf8)
    }

    /// Sends what needs a login, and the login with it, to nobody who has not shown who it is.
    private func change(
        _ method: HTTPClient.Method, _ target: String, _ body: [UInt8] = []
    ) throws(Failure) -> [UInt8] {
        guard vouchedFor != nil || !takesAnyCertificate else {
            throw Failure(
                .usage, "--allow-insecure-tls: the login would go to whoever answers",
                next: "Next: say --ca FILE with the agent's certificate; docs/verify.md says how "
                    + "to get it.")
        }
        // The connection may be another one than that of the evidence.
        seen.only = vouchedFor
        defer { seen.only = nil }
        return try send(method, target, body, showsToken: true)
    }

    private func send(
        _ method: HTTPClient.Method, _ target: String, _ body: [UInt8] = [],
        showsToken: Bool = false
    ) throws(Failure) -> [UInt8] {
        try answer { () throws(HTTPFault) in
            try http.send(
                method, target, body: body, showsToken: showsToken, atMost: Self.longestAnswer)
        }.body
    }

    private func download(
        _ target: String, _ sink: @escaping ([UInt8]) -> Bool
    ) throws(Failure) -> Int {
        var count = 0
        _ = try answer { () throws(HTTPFault) in
            try http.download(target, atMost: Self.longestFile) { part in
                count += part.count
                return sink(part)
            }
        }
        return count
    }

    private func answer(
        _ exchange: () throws(HTTPFault) -> HTTPSSession.Answer
    ) throws(Failure) -> HTTPSSession.Answer {
        seen.peer = nil
        let answer: HTTPSSession.Answer
        do throws(HTTPFault) {
            answer = try exchange()
        } catch {
            throw failure(error)
        }
        try accept(answer)
        return answer
    }

    private func decode<Value: Decodable>(_ body: [UInt8]) throws(Failure) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(body))
        } catch {
            throw Failure(
                .internal, "the answer of \(address) is not what this version of bootgate knows",
                next: "Next: compare `bootgate --version` with `bootgate-agent --version`.")
        }
    }

    /// Refuses every answer that is no success, in the agent's words.
    private func accept(_ answer: HTTPSSession.Answer) throws(Failure) {
        guard !(200..<300).contains(answer.status) else { return }
        guard
            let fault = try? JSONDecoder().decode(AgentFault.self, from: Data(answer.body))
        else {
            throw Failure(
                .unavailable, "\(address) answered with status \(answer.status)",
                next: "Next: see that a bootgate-agent is behind that address.")
        }
        throw AgentRefusal(fault).failure(of: address)
    }

    private func failure(_ fault: HTTPFault) -> Failure {
        switch fault {
        case .untrusted(let reason):
            Failure(
                .refused, "TLS with \(address): \(reason.shown)",
                next: "Next: --ca FILE believes an authority of yours, or the agent's own "
                    + "certificate. With --allow-insecure-tls the evidence alone says who answers.")
        case .cancelled where !seen.isWanted:
            Failure(
                .refused,
                "\(address) serves another certificate than the one that the evidence vouched for; "
                    + "the login was not sent")
        case .unreachable, .nameNotFound:
            Failure(
                .unavailable, "no agent at \(address): \("\(fault)".shown)",
                next: "Next: see that the VM runs, that `systemctl status bootgate-agent` is "
                    + "active in it, and that the port is open.")
        case .timedOut, .answerTooLong, .truncated, .cancelled, .failed:
            Failure(.unavailable, "the agent at \(address): \("\(fault)".shown)")
        }
    }
}

/// What an agent refuses, for a person.
struct AgentRefusal {
    private let fault: AgentFault

    init(_ fault: AgentFault) {
        self.fault = fault
    }

    func failure(of address: ServerAddress) -> Failure {
        let reference = fault.reference.map { " (\($0) in the VM's journal)" } ?? ""
        let message = "the agent at \(address): \(fault.message)\(reference)".shown
        return switch fault.code {
        case "login":
            Failure(
                .unusableInput, message,
                next: "Next: give --token-file, or --client-certificate and --client-key, of a "
                    + "client that agent.toml lists.")
        case "busy":
            Failure(
                .unavailable, message,
                next: "Next: wait until the other one is done, then say it again; "
                    + "`bootgate snapshot --cancel` stops it.")
        case "limit":
            Failure(.unavailable, message, next: "Next: say it again in a minute.")
        case "absent": Failure(.refused, message)
        case "tooLarge", "malformed": Failure(.unusableInput, message)
        case "unavailable":
            Failure(.unavailable, message, next: "Next: look into the VM's journal.")
        default: Failure(.internal, message, next: "Next: look into the VM's journal.")
        }
    }
}
