import Bytes
import Foundation
import Linux
import OpenSSL
import Protocol
import Synchronization
import TestBroker

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

    private let end: BrokerEnd
    private let seen = Mutex<[String]>([])

    var port: UInt16 { end.port }
    var pin: FixedBytes<32> { end.pin }
    /// What the broker has received, message by message.
    var log: [String] { seen.withLock { $0 } }

    init() throws {
        end = try BrokerEnd()
    }

    /// Serves one connection for each behaviour, in order, on a thread of its own.
    func serve(_ behaviours: [Behaviour]) {
        Thread.detachNewThread { [self] in
            for behaviour in behaviours {
                do {
                    try serve(behaviour)
                } catch {
                    note("failed: \(error)")
                }
            }
        }
    }

    private func note(_ line: String) { seen.withLock { $0.append(line) } }

    private func serve(_ behaviour: Behaviour) throws {
        if case .hangUp = behaviour {
            end.hangUp()
            return note("hung up")
        }
        var hello: Hello?
        let launchID = FixedBytes<16>(Random.bytes(16)) ?? FixedBytes()
        // A client that was too slow for its own patience comes again.
        var ending = BrokerEnd.Ending.closedInHandshake
        while case .closedInHandshake = ending {
            ending = try end.serve { event, session in
                switch event {
                case .hello(let message):
                    note("HELLO \(message.vm)")
                    hello = message
                    let challenge = Challenge(
                        launchID: launchID, nonce: FixedBytes(Random.bytes(32)) ?? FixedBytes(),
                        evidenceKinds: [.snp], time: 0)
                    return .send(try session.challenge(challenge))
                case .evidence(_, let binding):
                    note("EVIDENCE")
                    let answer = try answer(&session, behaviour, hello, launchID, binding)
                    if case .releaseAndVanish = behaviour { return .sendAndVanish(answer) }
                    return .send(answer)
                case .outcome(let outcome):
                    note("OUTCOME \(outcome)")
                    return .send(try session.close())
                case .log:
                    note("LOG")
                    return .send([])
                case .lateOutcome(let late):
                    note("LATE_OUTCOME \(late.proof)")
                    return .send(try session.close())
                }
            }
        }
        if case .closed = ending { note("closed") }
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
}

/// A secret that a test knows.
func secretBytes(_ bytes: [UInt8]) -> SecretBytes {
    unsafe SecretBytes(count: bytes.count) { unsafe $0.copyBytes(from: bytes) }
}
