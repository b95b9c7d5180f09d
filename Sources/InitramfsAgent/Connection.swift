import Bytes
import Linux
import OpenSSL
import Protocol

/// Why a connection to a broker is of no more use.
enum ConnectionError: Error, Equatable, CustomStringConvertible {
    case system(SystemError)
    case tls(TLSError)
    case session(SessionError)
    case crypto(CryptoError)
    /// The broker closed before it had said what it was asked.
    case closed
    /// The broker did not answer in time.
    case timeout
    /// The broker has no room just now, or did not understand.
    case turnedAway(Refused.Code)

    var description: String {
        switch self {
        case .system(let error): error.description
        case .tls(let error): error.description
        case .session(let error): "protocol: \(error)"
        case .crypto(let error): error.description
        case .closed: "the broker closed the connection"
        case .timeout: "the broker did not answer in time"
        case .turnedAway(.busy): "the broker is busy"
        case .turnedAway: "the broker did not accept the connection"
        }
    }

    /// With the address of the broker, which an error of the system names already.
    func description(at address: SocketAddress) -> String {
        if case .system = self { return description }
        return "\(address.description): \(description)"
    }
}

/// What every connection of one launch says in its HELLO.
struct Introduction {
    let vm: VMIdentifier
    let keyName: KeyName
    let configDigest: FixedBytes<32>
    let headerDigest: FixedBytes<32>
    let evidenceKind: EvidenceKind
}

/// One connection: a socket under TLS under an `AttesterSession`. Never blocks in ``advance()``.
final class Connection {
    /// What is said first.
    enum Opening {
        /// A launch, with a key pair made for this connection alone.
        case launch(Introduction)
        /// A proof that another connection could not deliver.
        case late(LateOutcome)
    }

    let address: SocketAddress
    private let socket: Socket
    private let engine: TLSEngine
    private let opening: Opening
    private var session: AttesterSession?
    private var key: HPKEPrivateKey?
    private var pending: [UInt8] = []
    private var isConnected = false
    private var peerHasEnded = false

    init(
        to address: SocketAddress, context: TLSClientContext, opening: Opening
    ) throws(ConnectionError) {
        self.address = address
        self.opening = opening
        do throws(SystemError) {
            socket = try Socket(connectingTo: address)
        } catch {
            throw .system(error)
        }
        do throws(TLSError) {
            engine = try TLSEngine(client: context, serverName: nil)
        } catch {
            throw .tls(error)
        }
        if case .launch = opening {
            do throws(CryptoError) {
                key = try HPKEPrivateKey(scalar: Random.secret(32))
            } catch {
                throw .crypto(error)
            }
        }
    }

    /// What to wait for before ``advance()`` is of use again.
    var interest: Poll.Interest {
        Poll.Interest(
            socket.descriptor, read: isConnected, write: !isConnected || !pending.isEmpty)
    }

    /// Goes on as far as the network allows; returns what the broker said meanwhile.
    func advance() throws(ConnectionError) -> [AttesterEvent] {
        do {
            if !isConnected {
                try socket.checkConnected()
                isConnected = true
                _ = try engine.handshake()
                pending += engine.takeOutput()
            }
            var events = try flushAndRead()
            if session == nil, try engine.handshake() {
                try begin()
                events += try flushAndRead()
            }
            pending += engine.takeOutput()
            try flush()
            if peerHasEnded, events.isEmpty { throw ConnectionError.closed }
            return events
        } catch let error as SystemError {
            throw .system(error)
        } catch let error as TLSError {
            throw .tls(error)
        } catch let error as SessionError {
            throw .session(error)
        } catch let error as ConnectionError {
            throw error
        } catch {
            throw .closed
        }
    }

    /// Waits for the next things the broker says, until `deadline` (nanoseconds, monotonic).
    func next(until deadline: UInt64) throws(ConnectionError) -> [AttesterEvent] {
        while true {
            let events = try advance()
            if !events.isEmpty { return events }
            let now = Clock.monotonicNanoseconds
            guard now < deadline else { throw .timeout }
            _ = Poll.wait([interest], milliseconds: (deadline - now) / 1_000_000 + 1)
        }
    }

    /// What evidence has to be made over; nil before the challenge.
    func reportData(attestationKeyName: [UInt8] = []) -> FixedBytes<64>? {
        session?.reportData(attestationKeyName: attestationKeyName)
    }

    /// Sends the evidence; the answer comes by ``next(until:)``.
    func send(_ evidence: EvidenceMessage) throws(ConnectionError) {
        try send { session throws(SessionError) in try session.send(evidence) }
    }

    /// Sends what became of the key.
    func send(_ outcome: Outcome) throws(ConnectionError) {
        try send { session throws(SessionError) in try session.send(outcome) }
    }

    /// Opens what was sealed to this connection's key, and wipes that key.
    func open(
        _ release: Release, binding: FixedBytes<64>
    ) throws(CryptoError) -> SecretBytes? {
        guard let key = key.take() else { return nil }
        return try key.open(
            enc: release.encapsulatedKey, info: binding.bytes, aad: [],
            ciphertext: release.ciphertext)
    }

    /// Wipes the ephemeral key now and says goodbye; the socket closes with the object.
    func close() {
        key = nil
        engine.closeNotify()
        pending += engine.takeOutput()
        try? flush()
    }

    private func begin() throws {
        let exporter = try engine.channelBinding()
        var session: AttesterSession
        switch opening {
        case .late(let late):
            session = AttesterSession(
                lateOutcome: late, exporter: exporter, hashing: OpenSSLHashing())
        case .launch(let introduction):
            // Only after the handshake is there a session to bind to, so HELLO comes after it.
            guard let publicKey = key?.publicKey else { throw ConnectionError.closed }
            session = AttesterSession(
                hello: Hello(
                    purpose: .launch, vm: introduction.vm, keyName: introduction.keyName,
                    configDigest: introduction.configDigest,
                    headerDigest: introduction.headerDigest,
                    evidenceKinds: [introduction.evidenceKind], hpkePublicKey: publicKey),
                exporter: exporter, hashing: OpenSSLHashing())
        }
        try engine.write(session.start())
        self.session = session
        pending += engine.takeOutput()
    }

    private func send(
        _ frame: (inout AttesterSession) throws(SessionError) -> [UInt8]
    ) throws(ConnectionError) {
        guard var session else { throw .closed }
        do {
            let bytes = try frame(&session)
            self.session = session
            try engine.write(bytes)
            pending += engine.takeOutput()
        } catch let error as SessionError {
            throw .session(error)
        } catch let error as TLSError {
            throw .tls(error)
        } catch {
            throw .closed
        }
    }

    private func flushAndRead() throws -> [AttesterEvent] {
        try flush()
        var events: [AttesterEvent] = []
        while true {
            switch try socket.receive() {
            case .nothing: return events
            case .end:
                peerHasEnded = true
                return events
            case .bytes(let bytes):
                try engine.receive(bytes)
                guard try engine.handshake() else {
                    pending += engine.takeOutput()
                    try flush()
                    continue
                }
                if session == nil { try begin() }
                let plaintext = try engine.read()
                events += try session?.receive(plaintext) ?? []
            }
        }
    }

    private func flush() throws(SystemError) {
        while !pending.isEmpty {
            let sent = try socket.send(pending[...])
            if sent == 0 { return }
            pending.removeFirst(sent)
        }
    }
}
