import Bytes
import Foundation
import Linux
import OpenSSL
import Protocol
import Synchronization

/// A broker on the loopback that takes reports as a test tells it, one connection after another.
final class ReportBroker: Sendable {
    /// What becomes of one connection.
    enum Behaviour: Sendable {
        /// Take the evidence; ask for the log from a byte on, where there is one, and take that.
        case take(logFrom: UInt64?)
        /// Say no to the evidence, or to a late outcome.
        case refuse
        /// Turn the connection away in its first message.
        case busy
        /// Want another report.
        case hold(seconds: UInt16)
        /// Refuse in the midst of the log.
        case refuseWithinLog
        /// Close after the evidence.
        case vanish
        /// Take a late outcome.
        case late
    }

    /// What has been received.
    struct Seen: Sendable {
        var messages: [String] = []
        var hello: Hello?
        var evidence: EvidenceMessage?
        var binding: FixedBytes<64>?
        var late: LateOutcome?
        var log: [UInt8] = []
        var longestPart = 0
    }

    let port: UInt16
    let pin: FixedBytes<32>
    private let listener: Int32
    private let context: TLSServerContext
    private let state = Mutex(Seen())

    var seen: Seen { state.withLock { $0 } }

    init() throws {
        let key = try SigningKey.generate(.p256)
        let name = CertificateTemplate.Name(commonName: "broker")
        let template = CertificateTemplate(
            subject: name, issuer: name, serial: [1], notBefore: 0, notAfter: 4_000_000_000,
            signature: .ecdsaSHA256)
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        pin = key.publicKeyInfoDigest
        context = try TLSServerContext(
            certificatePEM: certificate.pem, privateKeyPEM: key.pem(), alpn: "bootgate/1")
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = unsafe bind(listener, generic, length)
                listen(listener, 16)
                _ = unsafe getsockname(listener, generic, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(listener) }

    /// Serves one connection for each behaviour, in order, on a thread of its own.
    func serve(_ behaviours: [Behaviour]) throws {
        try WorkerThread.start(name: "broker") { [self] in
            for behaviour in behaviours {
                let connection = accept(listener, nil, nil)
                do {
                    try serve(connection, behaviour)
                } catch {
                    note("failed: \(error)")
                }
                close(connection)
            }
        }
    }

    private func note(_ message: String) { state.withLock { $0.messages.append(message) } }

    private func serve(_ connection: Int32, _ behaviour: Behaviour) throws {
        let engine = try TLSEngine(server: context)
        while try !engine.handshake() {
            send(connection, engine.takeOutput())
            guard let bytes = receive(connection) else { return note("closed in the handshake") }
            try engine.receive(bytes)
        }
        send(connection, engine.takeOutput())
        var session = VerifierSession(
            exporter: try engine.channelBinding(), hashing: OpenSSLHashing())
        while true {
            for event in try session.receive(try engine.read()) {
                guard let answer = try answer(event, &session, behaviour) else { return }
                try engine.write(answer)
            }
            send(connection, engine.takeOutput())
            if session.isFinished { return }
            guard let bytes = receive(connection) else { return note("closed") }
            try engine.receive(bytes)
        }
    }

    private func answer(
        _ event: VerifierEvent, _ session: inout VerifierSession, _ behaviour: Behaviour
    ) throws -> [UInt8]? {
        guard let reference = LaunchReference("R-00001") else { return nil }
        let refused = Refused(code: .refused, reference: reference)
        switch event {
        case .hello(let hello):
            note("HELLO")
            state.withLock { $0.hello = hello }
            if case .busy = behaviour {
                return try session.refuse(Refused(code: .busy, reference: reference))
            }
            return try session.challenge(
                Challenge(
                    launchID: FixedBytes(Random.bytes(16)) ?? FixedBytes(),
                    nonce: FixedBytes(Random.bytes(32)) ?? FixedBytes(),
                    evidenceKinds: hello.evidenceKinds, time: 0))
        case .evidence(let message, let binding):
            note("EVIDENCE")
            state.withLock { ($0.evidence, $0.binding) = (message, binding) }
            switch behaviour {
            case .take(let offset?): return try session.askForLog(offset: offset)
            case .refuseWithinLog: return try session.askForLog(offset: 0)
            case .hold(let seconds):
                return try session.hold(Held(retryAfterSeconds: seconds, reference: reference))
            case .refuse: return try session.refuse(refused)
            case .vanish: return nil
            case .take, .late, .busy: return try session.close()
            }
        case .log(let part):
            state.withLock {
                $0.log += part.data
                $0.longestPart = max($0.longestPart, part.data.count)
            }
            if case .refuseWithinLog = behaviour { return try session.refuse(refused) }
            if part.isLast { note("LOG") }
            return part.isLast ? try session.close() : []
        case .outcome: return nil
        case .lateOutcome(let late):
            note("LATE_OUTCOME")
            state.withLock { $0.late = late }
            if case .refuse = behaviour { return try session.refuse(refused) }
            return try session.close()
        }
    }

    private func receive(_ connection: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = unsafe recv(connection, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        _ = unsafe Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
