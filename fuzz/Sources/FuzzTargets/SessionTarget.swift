import Bytes
import Protocol

/// Both state machines. An input is a list of steps: a byte that says which call, and for bytes
/// from the peer a length of two bytes and the bytes.
enum SessionTarget {
    static func attester(_ input: [UInt8]) {
        attester(input, Samples.hello, Samples.evidence)
        attester(input, Samples.reportHello, Samples.reportEvidence)
    }

    private static func attester(_ input: [UInt8], _ hello: Hello?, _ evidence: EvidenceMessage?) {
        guard let hello, let evidence, let part = Samples.logPart else { return }
        var session = AttesterSession(hello: hello, exporter: FixedBytes(), hashing: WeakHashing())
        var releases = 0
        var isDead = false
        for step in steps(input) {
            do {
                switch step {
                case .receive(let bytes):
                    for case .released in try session.receive(bytes) { releases += 1 }
                case .call(let number) where number % 5 == 0: _ = session.start()
                case .call(let number) where number % 5 == 1: _ = try session.send(evidence)
                case .call(let number) where number % 5 == 2: _ = try session.send(Samples.outcome)
                case .call(let number) where number % 5 == 3: _ = try session.send(part)
                case .call:
                    _ = try session.send(Outcome.failed(reason: .other, detail: "\u{1b}"))
                }
                precondition(!isDead || step.isStart, "a dead session lives")
            } catch {
                isDead = true
            }
        }
        precondition(releases <= (hello.purpose == .launch ? 1 : 0), "a release too many")
    }

    static func verifier(_ input: [UInt8]) {
        guard let release = Samples.release, let reference = LaunchReference("L-1") else { return }
        var session = VerifierSession(exporter: FixedBytes(), hashing: WeakHashing())
        var evidence = 0
        var isDead = false
        for step in steps(input) {
            do {
                switch step {
                case .receive(let bytes):
                    for case .evidence in try session.receive(bytes) { evidence += 1 }
                case .call(let number):
                    switch number % 7 {
                    case 0: _ = try session.challenge(Samples.challenge)
                    case 1:
                        _ = try session.release(release)
                        precondition(evidence == 1, "a key left without evidence")
                    case 2: _ = try session.refuse(Refused(code: .refused, reference: reference))
                    case 3: _ = try session.hold(Held(retryAfterSeconds: 1, reference: reference))
                    case 4: _ = try session.commit()
                    case 5: _ = try session.askForLog(offset: 0)
                    default: _ = try session.close()
                    }
                }
                precondition(!isDead, "a dead session lives")
            } catch {
                isDead = true
            }
        }
        precondition(evidence <= 1, "evidence twice in one session")
    }

    static var attesterSeeds: [[UInt8]] {
        let start: [UInt8] = [0]
        let challenged = start + receive(.challenge)
        let released = challenged + [1] + receive(.release)
        return [
            released + [2] + receive(.commit), released + [4] + receive(.close),
            challenged + [1] + receive(.logWanted) + [3] + receive(.close),
            challenged + [1] + receive(.refused), challenged + [1] + receive(.held),
            start + receive(.refused),
        ]
    }

    static var verifierSeeds: [[UInt8]] {
        let appraising = receive(.hello) + [0] + receive(.evidence)
        let settling = appraising + [1] + receive(.outcome)
        let reported =
            receive(Samples.reportHello?.frame() ?? []) + [0]
            + receive(Samples.reportEvidence?.frame() ?? [])
        return [
            settling + [4], settling + [6], appraising + [2], appraising + [3],
            receive(.lateOutcome) + [6], receive(.hello) + [2],
            reported + [5] + receive(.log) + [6], reported + [6],
        ]
    }

    private enum Step {
        case receive([UInt8])
        case call(UInt8)

        /// `start` has no error to throw; it gives nothing when the session is past it.
        var isStart: Bool {
            if case .call(let number) = self { number % 5 == 0 } else { false }
        }
    }

    private static func receive(_ type: MessageType) -> [UInt8] {
        receive(Samples.frame(type))
    }

    private static func receive(_ frame: [UInt8]) -> [UInt8] {
        [0x80, UInt8(frame.count >> 8), UInt8(frame.count & 0xff)] + frame
    }

    private static func steps(_ input: [UInt8]) -> [Step] {
        var steps: [Step] = []
        var rest = input[...]
        while let first = rest.popFirst() {
            guard first >= 0x80 else {
                steps.append(.call(first))
                continue
            }
            let length = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(2)
            steps.append(.receive(Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return steps
    }
}
