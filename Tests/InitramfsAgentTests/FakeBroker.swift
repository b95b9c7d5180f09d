import Bytes
import Foundation
import Linux
import OpenSSL
import Protocol
import Synchronization

/// A broker on the loopback that does what a test tells it, one connection after another.
final class FakeBroker: Sendable {
    /// What becomes of one connection after its CHALLENGE was sent.
    enum Behaviour: Sendable {
        /// Seal this payload and take the outcome.
        case release(passphrase: [UInt8], check: FixedBytes<32>, keyslot: Int)
        /// As `release`, then vanish before the outcome is taken.
        case releaseAndVanish(passphrase: [UInt8], check: FixedBytes<32>, keyslot: Int)
        /// Say no.
        case refuse
        /// Say not yet.
        case hold
        /// Take a late outcome; no challenge is sent.
        case late
        /// Close before the handshake.
        case hangUp
    }

    let port: UInt16
    let pin: FixedBytes<32>
    private let listener: Int32
    private let context: TLSServerContext
    private let seen = Mutex<[String]>([])

    /// What the broker has received, message by message.
    var log: [String] { seen.withLock { $0 } }

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
    func serve(_ behaviours: [Behaviour]) {
        Thread.detachNewThread { [self] in
            for behaviour in behaviours {
                let connection = accept(listener, nil, nil)
                if case .hangUp = behaviour {
                    close(connection)
                    note("hung up")
                    continue
                }
                do {
                    try serve(connection, behaviour)
                } catch {
                    note("failed: \(error)")
                }
                close(connection)
            }
        }
    }

    private func note(_ line: String) { seen.withLock { $0.append(line) } }

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
        var hello: Hello?
        let launchID = FixedBytes<16>(Random.bytes(16)) ?? FixedBytes()
        while true {
            let events = try session.receive(try engine.read())
            for event in events {
                switch event {
                case .hello(let message):
                    note("HELLO \(message.vm)")
                    hello = message
                    let challenge = Challenge(
                        launchID: launchID, nonce: FixedBytes(Random.bytes(32)) ?? FixedBytes(),
                        evidenceKinds: [.snp], time: 0)
                    try engine.write(try session.challenge(challenge))
                case .evidence(_, let binding):
                    note("EVIDENCE")
                    let answer = try answer(
                        &session, behaviour, hello, launchID, binding)
                    try engine.write(answer)
                    if case .releaseAndVanish = behaviour {
                        send(connection, engine.takeOutput())
                        return
                    }
                case .outcome(let outcome):
                    note("OUTCOME \(outcome)")
                    try engine.write(try session.close())
                case .log: note("LOG")
                case .lateOutcome(let late):
                    note("LATE_OUTCOME \(late.proof)")
                    try engine.write(try session.close())
                }
            }
            send(connection, engine.takeOutput())
            if session.isFinished { return }
            guard let bytes = receive(connection) else { return note("closed") }
            try engine.receive(bytes)
        }
    }

    private func answer(
        _ session: inout VerifierSession, _ behaviour: Behaviour, _ hello: Hello?,
        _ launchID: FixedBytes<16>, _ binding: FixedBytes<64>
    ) throws -> [UInt8] {
        guard let reference = LaunchReference("L-00001"), let hello else { return [] }
        switch behaviour {
        case .release(let passphrase, let check, let keyslot),
            .releaseAndVanish(let passphrase, let check, let keyslot):
            let payload = try ReleasePayload(
                launchID: launchID, keyslot: keyslot,
                key: secretBytes(passphrase), volumeKeyCheck: check)
            let sealed = try HPKE.seal(
                to: hello.hpkePublicKey, info: binding.bytes, aad: [],
                plaintext: payload.encoded(), ephemeral: Random.secret(32))
            guard
                let release = Release(
                    encapsulatedKey: sealed.enc, ciphertext: sealed.ciphertext)
            else { return [] }
            return try session.release(release)
        case .hold:
            return try session.hold(Held(retryAfterSeconds: 1, reference: reference))
        case .refuse, .late, .hangUp:
            return try session.refuse(Refused(code: .refused, reference: reference))
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

/// A secret that a test knows.
func secretBytes(_ bytes: [UInt8]) -> SecretBytes {
    unsafe SecretBytes(count: bytes.count) { unsafe $0.copyBytes(from: bytes) }
}
