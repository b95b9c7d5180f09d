import Bytes
import OpenSSL
import Protocol
import Testing

/// One launch's messages, and sessions brought to each of their states.
struct SessionFixture {
    static let exporter = FixedBytes<32>(Array(repeating: 7, count: 32)) ?? FixedBytes()

    let purpose: Purpose
    let hello: Hello
    let challenge: Challenge
    let evidence: EvidenceMessage
    let release: Release
    let refused: Refused
    let held: Held
    let proof = FixedBytes<32>()
    let late: LateOutcome
    let wanted = LogWanted(offset: 9)
    let logPart: LogPart
    let lastPart: LogPart

    init(_ purpose: Purpose = .launch) throws {
        self.purpose = purpose
        let statement = Array("{}".utf8)
        hello = Hello(
            purpose: purpose, vm: try #require(VMIdentifier("web-1")), keyName: .disk,
            configDigest: FixedBytes(),
            headerDigest: purpose == .launch ? FixedBytes() : OpenSSLHashing().sha256(statement),
            evidenceKinds: [.snp, .svsm], hpkePublicKey: FixedBytes())
        challenge = Challenge(
            launchID: FixedBytes(), nonce: FixedBytes(), evidenceKinds: [.snp], time: 1)
        let report = EvidenceItem(.report, [1, 2, 3])
        evidence = try EvidenceMessage(
            kind: .snp,
            items: purpose == .launch ? [report] : [report, EvidenceItem(.statement, statement)])
        logPart = try LogPart(isLast: false, data: [1])
        lastPart = try LogPart(isLast: true, data: [])
        release = try #require(
            Release(encapsulatedKey: FixedBytes(), ciphertext: [UInt8](repeating: 1, count: 60)))
        let reference = try #require(LaunchReference("L-00001"))
        refused = Refused(code: .refused, reference: reference)
        held = Held(retryAfterSeconds: 60, reference: reference)
        late = LateOutcome(launchID: FixedBytes(), proof: FixedBytes())
    }

    var outcome: Outcome { .unlocked(proof: proof, stagedDigest: nil) }
    var stagedOutcome: Outcome { .unlocked(proof: proof, stagedDigest: FixedBytes()) }

    /// A valid frame of each type.
    func frame(_ type: MessageType) -> [UInt8] {
        switch type {
        case .hello: hello.frame()
        case .challenge: challenge.frame()
        case .evidence: evidence.frame()
        case .release: release.frame()
        case .refused: refused.frame()
        case .held: held.frame()
        case .outcome: outcome.frame()
        case .commit, .close: Frame.encode(type)
        case .lateOutcome: late.frame()
        case .logWanted: wanted.frame()
        case .log: logPart.frame()
        }
    }

    func attester(_ state: String) throws -> AttesterSession {
        if state.hasPrefix("late") {
            var session = AttesterSession(
                lateOutcome: late, exporter: Self.exporter, hashing: OpenSSLHashing())
            _ = session.start()
            return session
        }
        var session = AttesterSession(
            hello: hello, exporter: Self.exporter, hashing: OpenSSLHashing())
        if state == "idle" { return session }
        _ = session.start()
        if state == "awaiting challenge" { return session }
        _ = try session.receive(challenge.frame())
        if state == "challenged" { return session }
        _ = try session.send(evidence)
        if state == "awaiting decision" { return session }
        if purpose == .runtime {
            _ = try session.receive(state == "finished" ? Frame.encode(.close) : wanted.frame())
            if state == "awaiting decision on log" { _ = try session.send(lastPart) }
            return session
        }
        _ = try session.receive(release.frame())
        if state == "released" { return session }
        _ = try session.send(state == "awaiting commit" ? stagedOutcome : outcome)
        if state == "finished" { _ = try session.receive(Frame.encode(.close)) }
        return session
    }

    func verifier(_ state: String) throws -> VerifierSession {
        var session = VerifierSession(exporter: Self.exporter, hashing: OpenSSLHashing())
        if state == "awaiting first" { return session }
        if state == "late" {
            _ = try session.receive(late.frame())
            return session
        }
        _ = try session.receive(hello.frame())
        if state == "greeted" { return session }
        _ = try session.challenge(challenge)
        if state == "awaiting evidence" { return session }
        _ = try session.receive(evidence.frame())
        if state == "appraising" { return session }
        if purpose == .runtime {
            _ = state == "finished" ? try session.close() : try session.askForLog(offset: 9)
            if state == "appraising log" { _ = try session.receive(lastPart.frame()) }
            return session
        }
        _ = try session.release(release)
        if state == "awaiting outcome" { return session }
        _ = try session.receive((state == "settling staged" ? stagedOutcome : outcome).frame())
        if state == "finished" { _ = try session.close() }
        return session
    }
}
