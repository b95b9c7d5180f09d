public import Bytes

/// What an attester has to act on.
public enum AttesterEvent: Equatable, Sendable {
    /// Ask the platform for evidence over ``AttesterSession/reportData(attestationKeyName:)``.
    case challenge(Challenge)
    /// Open the sealed key with `binding` as HPKE info, open the disk, send an ``Outcome``.
    case released(Release, binding: FixedBytes<64>)
    /// Send the IMA log from byte `offset` on with ``AttesterSession/send(_:)-(LogPart)``, the last part
    /// marked as such. An offset behind the log's end is answered by an empty last part.
    case logWanted(offset: UInt64)
    /// No key; the connection is over.
    case refused(Refused)
    /// Not yet; the connection is over, come back with a fresh one.
    case held(Held)
    /// Write the staged header; the connection is over.
    case commit
    /// Nothing more to do; the connection is over.
    case closed
}

/// The attester's side of one connection: bytes and intents in, bytes and events out.
///
/// No I/O, clock or randomness. After an error it is dead and every further call throws.
public struct AttesterSession: Sendable {
    private enum State {
        case idle(first: [UInt8], next: Waiting)
        case waiting(Waiting)
        case challenged(Challenge, frame: [UInt8])
        case released
        case sendingLog
        case finished
        case dead
    }

    /// The peer's turn.
    private enum Waiting {
        case challenge
        case decision(binding: FixedBytes<64>)
        case decisionOnLog
        case closing(staged: Bool)
        case lateClosing
    }

    private let hello: Hello?
    private let exporter: FixedBytes<32>
    private let hashing: any Hashing
    private let helloFrame: [UInt8]
    private var state: State
    private var reader = FrameReader()

    /// A launch or runtime report over a TLS session whose `tls-exporter` is `exporter`.
    public init(hello: Hello, exporter: FixedBytes<32>, hashing: any Hashing) {
        self.hello = hello
        self.exporter = exporter
        self.hashing = hashing
        helloFrame = hello.frame()
        state = .idle(first: helloFrame, next: .challenge)
    }

    /// A connection whose only purpose is to deliver `lateOutcome`.
    public init(lateOutcome: LateOutcome, exporter: FixedBytes<32>, hashing: any Hashing) {
        hello = nil
        self.exporter = exporter
        self.hashing = hashing
        helloFrame = []
        state = .idle(first: lateOutcome.frame(), next: .lateClosing)
    }

    /// Whether the last message has come: the connection can be closed.
    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// The first frame to send; call it once. Empty when it was called before.
    public mutating func start() -> [UInt8] {
        guard case .idle(let first, let next) = state else { return [] }
        state = .waiting(next)
        return first
    }

    /// Takes what has arrived, in any chunks.
    public mutating func receive(_ bytes: [UInt8]) throws(SessionError) -> [AttesterEvent] {
        if case .dead = state { throw .dead }
        do {
            var input = bytes[...]
            var events: [AttesterEvent] = []
            while let frame = try reader.next(from: &input, allowed: allowed) {
                events.append(try take(frame))
            }
            return events
        } catch {
            state = .dead
            throw error
        }
    }

    /// What the evidence has to be made over; nil before the challenge and after the evidence.
    public func reportData(attestationKeyName: [UInt8] = []) -> FixedBytes<64>? {
        guard case .challenged(_, let frame) = state, let hello else { return nil }
        return Binding.reportData(
            for: hello.purpose, exporter: exporter, hello: helloFrame, challenge: frame,
            attestationKeyName: attestationKeyName, hashing: hashing)
    }

    /// The frame that answers the challenge.
    public mutating func send(_ evidence: EvidenceMessage) throws(SessionError) -> [UInt8] {
        if case .dead = state { throw .dead }
        guard case .challenged(let challenge, _) = state,
            let binding = reportData(attestationKeyName: evidence.attestationKeyName)
        else { return try fail(.cannotSend(.evidence)) }
        guard challenge.evidenceKinds.contains(evidence.kind) else {
            return try fail(.evidenceKindNotAgreed(evidence.kind))
        }
        do {
            if let hello { try evidence.judgeStatement(for: hello, hashing) }
        } catch {
            return try fail(error)
        }
        state = .waiting(.decision(binding: binding))
        return evidence.frame()
    }

    /// The frame of the next stretch of the log that was asked for.
    public mutating func send(_ part: LogPart) throws(SessionError) -> [UInt8] {
        if case .dead = state { throw .dead }
        guard case .sendingLog = state else { return try fail(.cannotSend(.log)) }
        if part.isLast { state = .waiting(.decisionOnLog) }
        return part.frame()
    }

    /// The frame that says what became of the released key.
    public mutating func send(_ outcome: Outcome) throws(SessionError) -> [UInt8] {
        if case .dead = state { throw .dead }
        guard case .released = state else { return try fail(.cannotSend(.outcome)) }
        state = .waiting(.closing(staged: outcome.stagesHeader))
        return outcome.frame()
    }

    private var allowed: Set<MessageType> {
        switch state {
        case .idle, .released, .finished, .dead: []
        case .challenged, .sendingLog: [.refused]
        case .waiting(.challenge): [.challenge, .refused]
        case .waiting(.decision):
            hello?.purpose == .runtime
                ? [.logWanted, .close, .refused, .held] : [.release, .refused, .held]
        case .waiting(.decisionOnLog): [.close, .refused, .held]
        case .waiting(.closing(let staged)):
            staged ? [.commit, .close, .refused] : [.close, .refused]
        case .waiting(.lateClosing): [.close, .refused]
        }
    }

    private mutating func take(_ frame: Frame) throws(SessionError) -> AttesterEvent {
        switch frame.type {
        case .challenge:
            let challenge: Challenge = try frame.message()
            for kind in challenge.evidenceKinds.sorted()
            where hello?.evidenceKinds.contains(kind) != true {
                throw .evidenceKindNotAgreed(kind)
            }
            state = .challenged(challenge, frame: frame.encoded())
            return .challenge(challenge)
        case .release:
            guard case .waiting(.decision(let binding)) = state else {
                throw .unexpectedMessage(.release)
            }
            let release: Release = try frame.message()
            state = .released
            return .released(release, binding: binding)
        case .logWanted:
            let wanted: LogWanted = try frame.message()
            state = .sendingLog
            return .logWanted(offset: wanted.offset)
        case .refused:
            let refused: Refused = try frame.message()
            state = .finished
            return .refused(refused)
        case .held:
            let held: Held = try frame.message()
            state = .finished
            return .held(held)
        case .commit:
            state = .finished
            return .commit
        case .close:
            state = .finished
            return .closed
        case .hello, .evidence, .outcome, .lateOutcome, .log:
            throw .unexpectedMessage(frame.type)
        }
    }

    private mutating func fail(_ error: SessionError) throws(SessionError) -> [UInt8] {
        state = .dead
        throw error
    }
}
