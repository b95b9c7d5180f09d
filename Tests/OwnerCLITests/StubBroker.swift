import AdminAPI
import Bytes
import Foundation
import Synchronization

/// The admin socket of a broker that keeps everything in memory, one request at a time.
final class StubBroker: Sendable {
    struct State {
        var vms: [String: RecordedEnrolment] = [:]
        var policies: [String: String] = [:]
        var requests: [String] = []
        /// Answers by method and path, without the query.
        var answers: [String: String] = [:]
        /// Instead of the answer.
        var fixedAnswer: (status: Int, body: String)?
        var isSilent = false
    }

    let socket: String
    let state = Mutex(State())
    private let listener: Int32

    init(in folder: TestFolder) throws {
        socket = folder.path + "/admin.sock"
        listener = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(socket.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: Glibc.sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
        let thread = Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                serve(connection)
                close(connection)
            }
            close(listener)
        }
        thread.start()
    }

    func stop() {
        // Ends the thread's accept; the thread closes, so that no number is used after its reuse.
        _ = shutdown(listener, Int32(SHUT_RDWR))
    }

    private func serve(_ connection: Int32) {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        var expected = Int.max
        var head = ""
        while received.count < expected {
            let got = unsafe read(connection, &buffer, buffer.count)
            if got <= 0 { return }
            received += buffer[..<got]
            if expected == Int.max, let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n")
                    .first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
                received.removeFirst(end.upperBound)
                expected = length
            }
        }
        let line = head.prefix { $0 != "\r\n" }.split(separator: " ")
        guard line.count == 3 else { return }
        let (status, body) = answer(String(line[0]), String(line[1]), received)
        if state.withLock({ $0.isSilent }) { sleep(3) }
        let text =
            "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            + body
        _ = unsafe send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    private func answer(_ method: String, _ target: String, _ body: [UInt8]) -> (Int, String) {
        state.withLock { state in
            state.requests.append("\(method) \(target)")
            if let fixed = state.fixedAnswer { return fixed }
            let path = target.prefix { $0 != "?" }
            if let known = state.answers["\(method) \(path)"] { return (200, known) }
            let name = String(target.split(separator: "/").last ?? "")
            let notFound = (
                404, #"{"error":{"code":"not found","message":"there is no \#(name)"}}"#
            )
            switch (method, target) {
            case ("GET", "/v1/status"):
                return Self.json(
                    BrokerStatus(
                        version: "test", started: 0, launches: 0, vms: 0, listen: [],
                        pins: [String(repeating: "0a", count: 32)], refusals: [:]))
            case ("GET", _) where target.hasPrefix("/v1/vms/"):
                guard let vm = state.vms[name] else { return notFound }
                return Self.json(record(name, vm.terms))
            case ("PUT", _) where target.hasPrefix("/v1/vms/"):
                guard let enrolment = RecordedEnrolment(json: body) else {
                    return (400, #"{"error":{"code":"invalid","message":"not an enrolment"}}"#)
                }
                state.vms[name] = enrolment
                return Self.json(record(name, enrolment.terms))
            case ("GET", _) where target.hasPrefix("/v1/policies/"):
                guard let toml = state.policies[name] else { return notFound }
                return Self.json(PolicyRecord(name: name, identity: "00", toml: toml, created: 0))
            case ("PUT", _) where target.hasPrefix("/v1/policies/"):
                let text = try? JSONDecoder().decode(PolicyText.self, from: Data(body))
                state.policies[name] = text?.toml
                return Self.json(PolicyRecord(name: name, identity: "00", created: 0))
            case ("GET", _) where target.hasPrefix("/v1/launches?"):
                return (200, #"{"launches":[]}"#)
            default:
                return notFound
            }
        }
    }

    private static func json(_ value: some Encodable) -> (Int, String) {
        (200, (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "")
    }
}

extension RecordedEnrolment {
    init?(json: [UInt8]) {
        struct Secrets: Decodable {
            let key: String
            let proofKey: String
        }
        guard let terms = try? JSONDecoder().decode(EnrolmentTerms.self, from: Data(json)),
            let secrets = try? JSONDecoder().decode(Secrets.self, from: Data(json)),
            let key = Base64.decode(secrets.key), Base64.decode(secrets.proofKey)?.count == 32
        else { return nil }
        self.init(terms: terms, key: key)
    }
}
