public import Bytes
public import Linux
public import OpenSSL
public import Protocol

/// One connection: a socket under TLS under an `AttesterSession`. Never blocks in ``advance()``.
public final class Connection {
    /// What is said first.
    public enum Opening {
        /// A launch, with a key pair made for this connection alone.
        case launch(Introduction)
        /// A report of a running VM, for which no key is made.
        case report(Introduction)
        /// A proof that another connection could not deliver.
        case late(LateOutcome)
    }

    /// The broker.
    public let address: SocketAddress
    private let socket: Socket
    private let engine: TLSEngine
    private let opening: Opening
    private var session: AttesterSession?
    private var key: HPKEPrivateKey?
    private var pending: [UInt8] = []
    private var isConnected = false
    private var peerHasEnded = false

    /// Starts connecting.
    public init(
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
    public var interest: Poll.Interest {
        Poll.Interest(
            socket.descriptor, read: isConnected, write: !isConnected || !pending.isEmpty)
    }

    /// Goes on as far as the network allows; returns what the broker said meanwhile.
    public func advance() throws(ConnectionError) -> [AttesterEvent] {
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
            if events.isEmpty {
                events = try flushAndRead()
                if peerHasEnded, events.isEmpty { throw ConnectionError.closed }
            } else {
                // What the broker said counts, also where it takes no more; the next call tells.
                try? flush()
            }
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
    public func next(until deadline: UInt64) throws(ConnectionError) -> [AttesterEvent] {
        while true {
            let events = try advance()
            if !events.isEmpty { return events }
            let now = Clock.monotonicNanoseconds
            guard now < deadline else { throw .timeout }
            _ = Poll.wait([interest], milliseconds: (deadline - now) / 1_000_000 + 1)
        }
    }

    /// What evidence has to be made over; nil before the challenge.
    public func reportData(attestationKeyName: [UInt8] = []) -> FixedBytes<64>? {
        session?.reportData(attestationKeyName: attestationKeyName)
    }

    /// Sends the evidence; the answer comes by ``next(until:)``.
    public func send(_ evidence: EvidenceMessage) throws(ConnectionError) {
        try send { session throws(SessionError) in try session.send(evidence) }
    }

    /// Sends what became of the key.
    public func send(_ outcome: Outcome) throws(ConnectionError) {
        try send { session throws(SessionError) in try session.send(outcome) }
    }

    /// Sends a stretch of the log that was asked for, `LogPart.maximumLength` bytes at most, and waits
    /// until the network has taken it, so that no more than that is ever held; returns what the broker
    /// said meanwhile.
    ///
    /// - Parameter deadline: nanoseconds, monotonic.
    public func send(
        logPart data: [UInt8], isLast: Bool, until deadline: UInt64
    ) throws(ConnectionError) -> [AttesterEvent] {
        try send { session throws(SessionError) in
            let part: LogPart
            do throws(ParseError) {
                part = try LogPart(isLast: isLast, data: data)
            } catch {
                throw .malformed(.log, error)
            }
            return try session.send(part)
        }
        while true {
            let events = try advance()
            if pending.isEmpty || !events.isEmpty { return events }
            let now = Clock.monotonicNanoseconds
            guard now < deadline else { throw .timeout }
            _ = Poll.wait([interest], milliseconds: (deadline - now) / 1_000_000 + 1)
        }
    }

    /// Opens what was sealed to this connection's key, and wipes that key.
    public func open(
        _ release: Release, binding: FixedBytes<64>
    ) throws(CryptoError) -> SecretBytes? {
        guard let key = key.take() else { return nil }
        return try key.open(
            enc: release.encapsulatedKey, info: binding.bytes, aad: [],
            ciphertext: release.ciphertext)
    }

    /// Wipes the ephemeral key now and says goodbye; the socket closes with the object.
    public func close() {
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
            guard let publicKey = key?.publicKey else { throw ConnectionError.closed }
            // Only after the handshake is there a session to bind to, so HELLO comes after it.
            session = self.session(introduction.hello(launchingWith: publicKey), exporter)
        case .report(let introduction):
            session = self.session(introduction.report, exporter)
        }
        try engine.write(session.start())
        self.session = session
        pending += engine.takeOutput()
    }

    private func session(_ hello: Hello, _ exporter: FixedBytes<32>) -> AttesterSession {
        AttesterSession(hello: hello, exporter: exporter, hashing: OpenSSLHashing())
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
        do {
            try flush()
        } catch {
            // Who takes no more may have said why before.
            guard let events = try? read(), !events.isEmpty else { throw error }
            return events
        }
        return try read()
    }

    private func read() throws -> [AttesterEvent] {
        var events: [AttesterEvent] = []
        while true {
            let received: Socket.Received
            do throws(SystemError) {
                received = try socket.receive()
            } catch {
                // A broker that refuses and closes at once resets: what it said before counts.
                guard events.isEmpty else { return events }
                throw error
            }
            switch received {
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
