import Foundation
import Synchronization

/// A web server on the loopback that answers each path as a test says, also badly; one request on a
/// connection, connections one after another.
public final class VendorServer: Sendable {
    /// What a client gets.
    public enum Answer: Sendable {
        /// A whole answer.
        case whole(status: Int, headers: [String], body: [UInt8])
        /// The headers of a longer answer, half of it, and the end.
        case truncated(body: [UInt8])
        /// Nothing at all, until the client goes.
        case silence
        /// These bytes and nothing else.
        case raw([UInt8])

        /// Status 200.
        public static func good(_ body: [UInt8], _ headers: [String] = []) -> Answer {
            .whole(status: 200, headers: headers, body: body)
        }

        /// A status without a body.
        public static func status(_ status: Int, _ headers: [String] = []) -> Answer {
            .whole(status: status, headers: headers, body: [])
        }
    }

    private struct State {
        var answers: [String: [Answer]] = [:]
        var requests: [String] = []
        var connections = 0
    }

    /// `http://127.0.0.1:PORT`.
    public let url: String
    private let listener: Int32
    private let state = Mutex(State())

    /// Listens on a port that the kernel chooses.
    public init() throws {
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: Glibc.sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        let thread = Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                state.withLock { $0.connections += 1 }
                serve(connection)
                close(connection)
            }
            close(listener)
        }
        thread.start()
    }

    /// Stops listening.
    public func stop() {
        // Ends the thread's accept; the thread closes, so that no number is used after its reuse.
        _ = shutdown(listener, Int32(SHUT_RDWR))
    }

    /// Answers requests for `target` (path and query) by these in turn; the last one stays.
    public func answer(_ target: String, _ answers: Answer...) {
        state.withLock { $0.answers[target] = answers }
    }

    /// The targets that were asked for, in order.
    public var requests: [String] { state.withLock { $0.requests } }

    /// How many connections there were.
    public var connections: Int { state.withLock { $0.connections } }

    private func serve(_ connection: Int32) {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while received.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
            let got = unsafe read(connection, &buffer, buffer.count)
            if got <= 0 { return }
            received += buffer[..<got]
        }
        let line = String(decoding: received, as: UTF8.self).prefix { $0 != "\r\n" }
        let target = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        switch take(target) {
        case .whole(let status, let headers, let body):
            send(connection, Self.head(status, headers, body.count) + body)
        case .truncated(let body):
            send(connection, Self.head(200, [], body.count) + body.prefix(body.count / 2))
        case .raw(let bytes): send(connection, bytes)
        case .silence:
            while unsafe read(connection, &buffer, buffer.count) > 0 {}
        }
    }

    private func take(_ target: String) -> Answer {
        state.withLock { state in
            state.requests.append(target)
            guard var answers = state.answers[target], let first = answers.first else {
                return .status(404)
            }
            if answers.count > 1 { answers.removeFirst() }
            state.answers[target] = answers
            return first
        }
    }

    private static func head(_ status: Int, _ headers: [String], _ count: Int) -> [UInt8] {
        let lines = ["HTTP/1.1 \(status) X", "Content-Length: \(count)", "Connection: close"]
        return Array((lines + headers + ["", ""]).joined(separator: "\r\n").utf8)
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { return }
            rest = rest.dropFirst(sent)
        }
    }
}
