import Bytes
import Linux
import OpenSSL

/// A client that does only what a test tells it to: a socket, and TLS if asked for. Used by one thread at a time.
final class SlowClient: @unchecked Sendable {
    struct Stalled: Error {}

    private let socket: Socket
    private let tls: TLSEngine

    init(_ agent: TestAgent) throws {
        let address = try SocketAddress.resolve(host: "127.0.0.1", port: UInt16(agent.port))[0]
        socket = try Socket(connectingTo: address)
        let certificate = try X509Certificate(
            pem: try File.read("\(agent.folder)/root/data/cert.pem", atMost: 1 << 16))
        tls = try TLSEngine(
            client: TLSClientContext(
                pins: [certificate.subjectPublicKeyInfoDigest], alpn: "http/1.1"),
            serverName: nil)
    }

    func handshake() throws {
        while try !tls.handshake() {
            try sendPlain(tls.takeOutput())
            _ = Poll.wait(
                [Poll.Interest(socket.descriptor, read: true, write: false)], milliseconds: 60_000)
            guard case .bytes(let bytes) = try socket.receive() else { throw Stalled() }
            try tls.receive(bytes)
        }
        try sendPlain(tls.takeOutput())
    }

    func send(_ text: String) throws {
        try tls.write(Array(text.utf8))
        try sendPlain(tls.takeOutput())
    }

    /// Sends bytes as they are.
    func sendPlain(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            _ = Poll.wait(
                [Poll.Interest(socket.descriptor, read: false, write: true)], milliseconds: 60_000)
            let count = try socket.send(rest)
            guard count > 0 else { throw Stalled() }
            rest = rest.dropFirst(count)
        }
    }

    /// Whether the agent ends the connection in time, whatever it says before.
    func isEnded(within milliseconds: UInt64) -> Bool {
        lastWords(within: milliseconds) != nil
    }

    /// What the agent says before it ends the connection; nil where it does not end it in time.
    func lastWords(within milliseconds: UInt64) -> String? {
        let end = Clock.monotonicMilliseconds + milliseconds
        var words: [UInt8] = []
        while Clock.monotonicMilliseconds < end {
            _ = Poll.wait(
                [Poll.Interest(socket.descriptor, read: true, write: false)], milliseconds: 100)
            switch try? socket.receive() {
            case .nothing: break
            case .bytes(let bytes):
                try? tls.receive(bytes)
                words += (try? tls.read()) ?? []
            case .end, nil: return String(decoding: words, as: UTF8.self)
            }
        }
        return nil
    }
}
