import Bytes
import Linux
import OpenSSL

/// One TLS connection to a broker, for a caller that may block.
struct FleetConnection {
    private let socket: Socket
    private let engine: TLSEngine
    private let deadline: UInt64

    /// Connects and finishes the handshake within `seconds`, which bounds all later calls too.
    init(to address: SocketAddress, context: TLSClientContext, seconds: UInt64) throws {
        deadline = Clock.monotonicMilliseconds + seconds * 1000
        socket = try Socket(connectingTo: address)
        engine = try TLSEngine(client: context, serverName: nil)
        try wait(read: false, write: true)
        try socket.checkConnected()
        while try !engine.handshake() {
            try flush()
            try fill()
        }
        try flush()
    }

    /// What binds evidence to this connection.
    func exporter() throws -> FixedBytes<32> {
        try engine.channelBinding()
    }

    /// Sends all of `plaintext`.
    func write(_ plaintext: [UInt8]) throws {
        try engine.write(plaintext)
        try flush()
    }

    /// What arrives next, at least one byte.
    func read() throws -> [UInt8] {
        while true {
            let plaintext = try engine.read()
            if !plaintext.isEmpty { return plaintext }
            if engine.peerHasClosed { throw FleetFault.closed }
            try fill()
        }
    }

    private func fill() throws {
        while true {
            switch try socket.receive() {
            case .bytes(let bytes): return try engine.receive(bytes)
            case .end: throw FleetFault.closed
            case .nothing: try wait(read: true, write: false)
            }
        }
    }

    private func flush() throws {
        var rest = engine.takeOutput()[...]
        while !rest.isEmpty {
            let sent = try socket.send(rest)
            rest = rest.dropFirst(sent)
            if sent == 0 { try wait(read: false, write: true) }
        }
    }

    private func wait(read: Bool, write: Bool) throws {
        let now = Clock.monotonicMilliseconds
        guard now < deadline else { throw FleetFault.deadline }
        _ = Poll.wait(
            [Poll.Interest(socket.descriptor, read: read, write: write)],
            milliseconds: deadline - now)
    }
}

/// Why a simulated VM got no answer.
enum FleetFault: Error, Equatable, CustomStringConvertible {
    case closed
    case deadline
    case noAddress(String)

    var description: String {
        switch self {
        case .closed: "the broker closed the connection before it had answered"
        case .deadline: "the broker did not answer in time"
        case .noAddress(let text): "--broker \(text): no address of that name"
        }
    }
}
