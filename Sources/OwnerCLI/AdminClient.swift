import AdminAPI
import Bytes
import Curl
import FoundationEssentials
import Glibc

/// The broker, as its owners talk to it.
struct AdminClient: Sendable {
    static let defaultSocket = AdminPath.defaultSocket

    /// A snapshot as long as a broker keeps one, and a little more.
    private static let longestAnswer = 129 << 20

    let http: HTTPClient

    init(socket: String) {
        http = HTTPClient(socket: socket, maximumAnswer: Self.longestAnswer)
    }

    func status() throws(Failure) -> BrokerStatus { try get(AdminPath.status) }

    func vms() throws(Failure) -> VMList { try get(AdminPath.vms) }

    func vm(_ id: String) throws(Failure) -> VMRecord { try get(AdminPath.vm(id)) }

    /// The VM, or nil where none of that name is enrolled.
    func vmIfEnrolled(_ id: String) throws(Failure) -> VMRecord? {
        let answer = try send { () throws(HTTPFault) in try http.send(.get, AdminPath.vm(id)) }
        return answer.status == 404 ? nil : try decode(answer)
    }

    func disable(_ id: String, reason: String?) throws(Failure) -> VMRecord {
        try request(.post, AdminPath.disableVM(id), DisableRequest(reason: reason))
    }

    func enable(_ id: String) throws(Failure) -> VMRecord {
        try decode(send { () throws(HTTPFault) in try http.send(.post, AdminPath.enableVM(id)) })
    }

    func remove(_ id: String) throws(Failure) {
        try accept(send { () throws(HTTPFault) in try http.send(.delete, AdminPath.vm(id)) })
    }

    func policies() throws(Failure) -> PolicyList { try get(AdminPath.policies) }

    func policy(_ name: String) throws(Failure) -> PolicyRecord {
        try get(AdminPath.policy(Self.escaped(name)))
    }

    func store(policy name: String, toml: String) throws(Failure) -> PolicyRecord {
        try request(.put, AdminPath.policy(Self.escaped(name)), PolicyText(toml: toml))
    }

    func launches(
        vm: String?, decision: LaunchDecision? = nil, limit: Int
    ) throws(Failure) -> LaunchList {
        var query = ["limit=\(limit)"]
        if let vm { query.append("vm=\(Self.escaped(vm))") }
        if let decision { query.append("decision=\(decision.rawValue)") }
        return try get(AdminPath.launches + "?" + query.joined(separator: "&"))
    }

    func launch(_ reference: String) throws(Failure) -> LaunchRecord {
        try get(AdminPath.launch(Self.escaped(reference)))
    }

    func endorsements() throws(Failure) -> EndorsementList { try get(AdminPath.endorsements) }

    func endorsementBundle() throws(Failure) -> [UInt8] {
        let answer = try send { () throws(HTTPFault) in
            try http.send(.get, AdminPath.endorsementBundle)
        }
        try accept(answer)
        return answer.body
    }

    func importEndorsements(_ bundle: [UInt8]) throws(Failure) -> EndorsementImport {
        try decode(
            send { () throws(HTTPFault) in
                try http.send(
                    .put, AdminPath.endorsementBundle, body: bundle, type: "application/x-tar")
            })
    }

    /// Puts an enrolment; its body exists in the secret arena and in libcurl's wiped buffers only.
    func enroll(_ id: String, _ enrolment: borrowing Enrolment) throws(Failure) -> VMRecord {
        let body = enrolment.json()
        let answer: HTTPClient.Answer
        do {
            answer = try http.send(.put, AdminPath.vm(id), json: body)
        } catch {
            throw unreachable(error)
        }
        return try decode(answer)
    }

    func get<Value: Decodable>(_ target: String) throws(Failure) -> Value {
        try decode(send { () throws(HTTPFault) in try http.send(.get, target) })
    }

    func request<Value: Decodable>(
        _ method: HTTPClient.Method, _ target: String, _ body: some Encodable
    ) throws(Failure) -> Value {
        let text = Array(JSONText.compact(body).utf8)
        return try decode(
            send { () throws(HTTPFault) in try http.send(method, target, json: text) })
    }

    func send(
        _ body: () throws(HTTPFault) -> HTTPClient.Answer
    ) throws(Failure) -> HTTPClient.Answer {
        do {
            return try body()
        } catch {
            throw unreachable(error)
        }
    }

    func decode<Value: Decodable>(_ answer: HTTPClient.Answer) throws(Failure) -> Value {
        try accept(answer)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(answer.body))
        } catch {
            throw Failure(
                .internal, "the broker's answer is not what this version of bootgate knows",
                next: "Next: compare `bootgate --version` with `bootgate-broker --version`.")
        }
    }

    /// Refuses every answer that is no success, in the broker's words.
    func accept(_ answer: HTTPClient.Answer) throws(Failure) {
        guard answer.status >= 300 else { return }
        guard
            let fault = try? JSONDecoder().decode(AdminFaultBody.self, from: Data(answer.body))
                .error
        else {
            throw Failure(.internal, "the broker answered with status \(answer.status)")
        }
        switch fault.code {
        case .invalid, .notFound, .conflict, .tooLarge:
            throw Failure(.unusableInput, "\(fault)")
        case .forbidden:
            throw Failure(
                .unavailable, "\(fault)",
                next: "Next: run it as root, or list your user in `allow_users` of broker.toml.")
        case .internal:
            throw Failure(.internal, "\(fault)", next: "Next: look into the broker's log.")
        }
    }

    private func unreachable(_ fault: HTTPFault) -> Failure {
        switch fault {
        case .unreachable(let errno, _) where errno == EACCES || errno == EPERM:
            Failure(
                .unavailable, "no access to the broker at \(http.socket)",
                next: "Next: run it as root, or list your user in `allow_users` of broker.toml.")
        case .unreachable:
            Failure(
                .unavailable, "no broker at \(http.socket): is bootgate-broker running?",
                next: "Next: `systemctl start bootgate-broker`, or name its socket with --socket.")
        case .timedOut, .answerTooLong, .truncated, .nameNotFound, .untrusted, .cancelled, .failed:
            Failure(.unavailable, "the broker at \(http.socket): \(fault)")
        }
    }

    /// Percent-encodes everything but RFC 3986's unreserved characters.
    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            let isUnreserved = byte < 0x80 && (character.isLetter || character.isNumber)
            return isUnreserved || "-._~".contains(character)
                ? String(character) : "%" + Hex.encode([byte]).uppercased()
        }.joined()
    }
}
