import Bytes
import Linux
import OpenSSL
import Protocol
import Synchronization
import TestBroker

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

    private let end: BrokerEnd
    private let state = Mutex(Seen())

    var port: UInt16 { end.port }
    var pin: FixedBytes<32> { end.pin }
    var seen: Seen { state.withLock { $0 } }

    init() throws {
        end = try BrokerEnd()
    }

    /// Serves one connection for each behaviour, in order, on a thread of its own.
    func serve(_ behaviours: [Behaviour]) throws {
        try WorkerThread.start(name: "broker") { [self] in
            for behaviour in behaviours {
                do {
                    let ending = try end.serve { event, session in
                        try answer(event, &session, behaviour).map { .send($0) } ?? .vanish
                    }
                    switch ending {
                    case .finished: break
                    case .closed: note("closed")
                    case .closedInHandshake: note("closed in the handshake")
                    }
                } catch {
                    note("failed: \(error)")
                }
            }
        }
    }

    private func note(_ message: String) { state.withLock { $0.messages.append(message) } }

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
}
