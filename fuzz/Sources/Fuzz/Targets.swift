import Bytes
import Evidence
import LUKS
import Policy
import Protocol
import Settings

/// Every parser and state machine that takes bytes from outside, by name.
///
/// Throwing is right for almost any input; what is looked for is a trap, a hang, and a parser whose
/// output does not read back as what it was.
let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "attester-session": attesterSession,
    "broker-settings": { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        _ = try? BrokerSettings(toml: text, directory: "/etc/bootgate")
    },
    "certificate-table": { _ = try? SNPCertificateTable(parsing: $0) },
    "gate-config": { bytes in
        guard let config = try? GateConfig(parsing: bytes) else { return }
        precondition((try? GateConfig(parsing: config.serialized())) == config)
    },
    "luks2-header": { bytes in
        guard let header = try? LUKS2Header(image: bytes, hashing: ZeroHashing()) else { return }
        _ = try? LUKS2Rules().check(header)
    },
    "messages": messages,
    "policy": { bytes in
        guard let policy = try? AppraisalPolicy(toml: String(decoding: bytes, as: UTF8.self))
        else { return }
        _ = policy.canonicalBytes
    },
    "snp-report": { _ = try? SNPReport(parsing: $0) },
    "verifier-session": verifierSession,
]

/// Checksums and digests are all zero, so that a fuzzer gets past them.
struct ZeroHashing: Hashing {
    func sha256(_ bytes: [UInt8]) -> FixedBytes<32> { FixedBytes() }
    func sha384(_ bytes: [UInt8]) -> FixedBytes<48> { FixedBytes() }
    func sha512(_ bytes: [UInt8]) -> FixedBytes<64> { FixedBytes() }
}

/// The first byte chooses the message, the rest is its body.
@Sendable private func messages(_ bytes: [UInt8]) {
    func roundTrip<M: Message & Equatable>(_ type: M.Type) {
        let body = Array(bytes.dropFirst())
        guard let message = try? M(parsing: body) else { return }
        precondition((try? M(parsing: message.encoded())) == message)
    }
    switch bytes.first.flatMap(MessageType.init) {
    case .hello: roundTrip(Hello.self)
    case .challenge: roundTrip(Challenge.self)
    case .evidence: roundTrip(EvidenceMessage.self)
    case .release: roundTrip(Release.self)
    case .refused: roundTrip(Refused.self)
    case .held: roundTrip(Held.self)
    case .outcome: roundTrip(Outcome.self)
    case .lateOutcome: roundTrip(LateOutcome.self)
    default: break
    }
}

/// The first byte is the size of the chunks that the rest arrives in.
private func chunks(_ bytes: [UInt8]) -> [[UInt8]] {
    guard let size = bytes.first.map({ Int($0) + 1 }) else { return [] }
    let rest = bytes.dropFirst()
    return stride(from: rest.startIndex, to: rest.endIndex, by: size).map { start in
        Array(rest[start..<min(start + size, rest.endIndex)])
    }
}

/// A verifier that answers whatever comes as far as its state allows.
@Sendable private func verifierSession(_ bytes: [UInt8]) {
    var session = VerifierSession(exporter: FixedBytes(), hashing: ZeroHashing())
    let challenge = Challenge(
        launchID: FixedBytes(), nonce: FixedBytes(), evidenceKinds: [.snp], time: 0)
    for chunk in chunks(bytes) {
        guard let events = try? session.receive(chunk) else { return }
        for event in events {
            switch event {
            case .hello: _ = try? session.challenge(challenge)
            case .evidence:
                let sealed = Array(repeating: UInt8(0), count: 64)
                guard let release = Release(encapsulatedKey: FixedBytes(), ciphertext: sealed)
                else { return }
                _ = try? session.release(release)
            case .outcome, .lateOutcome: _ = try? session.close()
            }
        }
    }
}

/// An attester that sends evidence for whatever challenge comes.
@Sendable private func attesterSession(_ bytes: [UInt8]) {
    guard let vm = VMIdentifier("web-1"), let key = KeyName("disk") else { return }
    let hello = Hello(
        purpose: .launch, vm: vm, keyName: key, configDigest: FixedBytes(),
        headerDigest: FixedBytes(), evidenceKinds: [.snp], hpkePublicKey: FixedBytes())
    var session = AttesterSession(hello: hello, exporter: FixedBytes(), hashing: ZeroHashing())
    _ = session.start()
    for chunk in chunks(bytes) {
        guard let events = try? session.receive(chunk) else { return }
        for event in events {
            switch event {
            case .challenge:
                _ = session.reportData()
                _ = try? session.send(
                    EvidenceMessage(kind: .snp, attestationKeyName: [], items: []))
            case .released:
                _ = try? session.send(Outcome.failed(reason: .other, detail: ""))
            default: break
            }
        }
    }
}
