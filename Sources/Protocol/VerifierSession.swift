public import Bytes

/// What a verifier has to act on.
public enum VerifierEvent: Equatable, Sendable {
    /// Answer with ``VerifierSession/challenge(_:)``.
    case hello(Hello)
    /// Authenticate and appraise; the evidence must be over `binding`.
    case evidence(EvidenceMessage, binding: FixedBytes<64>)
    /// The next stretch of the log that ``VerifierSession/askForLog(offset:)`` asked for. How much
    /// comes, and for how long, is the caller's to bound; it refuses when it has seen enough. After
    /// the last part: close, hold or refuse.
    case log(LogPart)
    /// Verify the proof, write the ledger, commit or close.
    case outcome(Outcome)
    /// The proof of an earlier launch: verify it, then close or refuse.
    case lateOutcome(LateOutcome)
}

/// The verifier's side of one connection: bytes and intents in, bytes and events out.
///
/// No I/O, clock or randomness. After an error it is dead and every further call throws.
public struct VerifierSession: Sendable {
    private enum State {
        case awaitingFirst
        case greeted(Hello, frame: [UInt8])
        case awaitingEvidence(Hello, Challenge, Transcript)
        case appraising(Purpose)
        case awaitingLog
        case appraisingLog
        case awaitingOutcome
        case settling(staged: Bool)
        case settlingLate
        case finished
        case dead
    }

    private struct Transcript {
        let hello: [UInt8]
        let challenge: [UInt8]
    }

    private let exporter: FixedBytes<32>
    private let hashing: any Hashing
    private var state = State.awaitingFirst
    private var reader = FrameReader()

    /// A connection over a TLS session whose `tls-exporter` is `exporter`.
    public init(exporter: FixedBytes<32>, hashing: any Hashing) {
        self.exporter = exporter
        self.hashing = hashing
    }

    /// Whether the last message has been sent: the connection can be closed.
    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Takes what has arrived, in any chunks.
    public mutating func receive(_ bytes: [UInt8]) throws(SessionError) -> [VerifierEvent] {
        if case .dead = state { throw .dead }
        do {
            var input = bytes[...]
            var events: [VerifierEvent] = []
            while let frame = try reader.next(from: &input, allowed: allowed) {
                events.append(try take(frame))
            }
            return events
        } catch {
            state = .dead
            throw error
        }
    }

    /// Answers HELLO; the kinds must be some of those that HELLO offers.
    public mutating func challenge(_ challenge: Challenge) throws(SessionError) -> [UInt8] {
        if case .dead = state { throw .dead }
        guard case .greeted(let hello, let helloFrame) = state else {
            return try fail(.cannotSend(.challenge))
        }
        guard !challenge.evidenceKinds.isEmpty else { return try fail(.noEvidenceKind) }
        for kind in challenge.evidenceKinds.sorted() where !hello.evidenceKinds.contains(kind) {
            return try fail(.evidenceKindNotAgreed(kind))
        }
        let frame = challenge.frame()
        state = .awaitingEvidence(
            hello, challenge, Transcript(hello: helloFrame, challenge: frame))
        return frame
    }

    /// Asks for the IMA log from byte `offset` on, once, after runtime evidence that stands.
    public mutating func askForLog(offset: UInt64) throws(SessionError) -> [UInt8] {
        if case .dead = state { throw .dead }
        guard case .appraising(.runtime) = state else { return try fail(.cannotSend(.logWanted)) }
        state = .awaitingLog
        return LogWanted(offset: offset).frame()
    }

    /// Lets the key go. The ledger's row must be durable before these bytes leave.
    public mutating func release(_ release: Release) throws(SessionError) -> [UInt8] {
        if case .dead = state { throw .dead }
        guard case .appraising(.launch) = state else { return try fail(.cannotSend(.release)) }
        state = .awaitingOutcome
        return release.frame()
    }

    /// Says no, in any state but the last; also how a busy verifier turns a connection away.
    public mutating func refuse(_ refused: Refused) throws(SessionError) -> [UInt8] {
        switch state {
        case .dead: throw .dead
        // The attester holds the key: it is waited for, not answered.
        case .finished, .awaitingOutcome: return try fail(.cannotSend(.refused))
        case .awaitingFirst, .greeted, .awaitingEvidence, .appraising, .awaitingLog, .appraisingLog,
            .settling, .settlingLate:
            state = .finished
            return refused.frame()
        }
    }

    /// Says "not yet" instead of a decision.
    public mutating func hold(_ held: Held) throws(SessionError) -> [UInt8] {
        switch state {
        case .dead: throw .dead
        case .appraising, .appraisingLog: break
        default: return try fail(.cannotSend(.held))
        }
        state = .finished
        return held.frame()
    }

    /// Tells the attester to write the header that its OUTCOME named as staged.
    public mutating func commit() throws(SessionError) -> [UInt8] {
        if case .dead = state { throw .dead }
        guard case .settling(staged: true) = state else { return try fail(.cannotSend(.commit)) }
        state = .finished
        return Frame.encode(.commit)
    }

    /// Ends a connection: after an outcome, or where runtime evidence is accepted.
    public mutating func close() throws(SessionError) -> [UInt8] {
        switch state {
        case .dead: throw .dead
        case .settling, .settlingLate, .appraising(.runtime), .appraisingLog: break
        default: return try fail(.cannotSend(.close))
        }
        state = .finished
        return Frame.encode(.close)
    }

    private var allowed: Set<MessageType> {
        switch state {
        case .awaitingFirst: [.hello, .lateOutcome]
        case .awaitingEvidence: [.evidence]
        case .awaitingLog: [.log]
        case .awaitingOutcome: [.outcome]
        case .greeted, .appraising, .appraisingLog, .settling, .settlingLate, .finished, .dead: []
        }
    }

    private mutating func take(_ frame: Frame) throws(SessionError) -> VerifierEvent {
        switch (frame.type, state) {
        case (.hello, .awaitingFirst):
            let hello: Hello = try frame.message()
            state = .greeted(hello, frame: frame.encoded())
            return .hello(hello)
        case (.lateOutcome, .awaitingFirst):
            let lateOutcome: LateOutcome = try frame.message()
            state = .settlingLate
            return .lateOutcome(lateOutcome)
        case (.evidence, .awaitingEvidence(let hello, let challenge, let transcript)):
            let evidence: EvidenceMessage = try frame.message()
            guard challenge.evidenceKinds.contains(evidence.kind) else {
                throw .evidenceKindNotAgreed(evidence.kind)
            }
            try evidence.judgeStatement(for: hello, hashing)
            let binding = Binding.reportData(
                for: hello.purpose, exporter: exporter, hello: transcript.hello,
                challenge: transcript.challenge,
                attestationKeyName: evidence.attestationKeyName, hashing: hashing)
            state = .appraising(hello.purpose)
            return .evidence(evidence, binding: binding)
        case (.log, .awaitingLog):
            let part: LogPart = try frame.message()
            if part.isLast { state = .appraisingLog }
            return .log(part)
        case (.outcome, .awaitingOutcome):
            let outcome: Outcome = try frame.message()
            state = .settling(staged: outcome.stagesHeader)
            return .outcome(outcome)
        default:
            throw .unexpectedMessage(frame.type)
        }
    }

    private mutating func fail(_ error: SessionError) throws(SessionError) -> [UInt8] {
        state = .dead
        throw error
    }
}
