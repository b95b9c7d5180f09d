import Bytes
import Protocol

/// Frames and each message.
enum FrameTarget {
    static func run(_ input: [UInt8]) {
        var rest = input[...]
        var reader = FrameReader()
        while let frame = try? reader.next(from: &rest, allowed: Set(MessageType.allCases)) {
            check(frame)
        }
        precondition(reader.buffered <= Frame.headerLength + MessageType.evidence.maximumBodyLength)
    }

    private static func check(_ frame: Frame) {
        let encoded: [UInt8]? =
            switch frame.type {
            case .hello: (try? Hello(parsing: frame.body))?.encoded()
            case .challenge: (try? Challenge(parsing: frame.body))?.encoded()
            case .evidence: (try? EvidenceMessage(parsing: frame.body))?.encoded()
            case .release: (try? Release(parsing: frame.body))?.encoded()
            case .refused: (try? Refused(parsing: frame.body))?.encoded()
            case .held: (try? Held(parsing: frame.body))?.encoded()
            case .outcome: (try? Outcome(parsing: frame.body))?.encoded()
            case .lateOutcome: (try? LateOutcome(parsing: frame.body))?.encoded()
            case .logWanted: (try? LogWanted(parsing: frame.body))?.encoded()
            case .log: (try? LogPart(parsing: frame.body))?.encoded()
            case .commit, .close: []
            }
        precondition(encoded.map { $0 == frame.body } ?? true, "two texts for one message")
    }

    static var seeds: [[UInt8]] {
        MessageType.allCases.map(Samples.frame)
            + [Samples.reportHello?.frame(), Samples.reportEvidence?.frame()].compactMap { $0 }
    }
}

/// A valid message of each type.
enum Samples {
    static func frame(_ type: MessageType) -> [UInt8] {
        let reference = LaunchReference("L-00001")
        switch type {
        case .hello: return hello?.frame() ?? []
        case .challenge: return challenge.frame()
        case .evidence: return evidence?.frame() ?? []
        case .release: return release?.frame() ?? []
        case .refused: return reference.map { Refused(code: .busy, reference: $0).frame() } ?? []
        case .held:
            return reference.map { Held(retryAfterSeconds: 9, reference: $0).frame() } ?? []
        case .outcome: return outcome.frame()
        case .commit, .close: return Frame.encode(type)
        case .lateOutcome: return LateOutcome(launchID: FixedBytes(), proof: FixedBytes()).frame()
        case .logWanted: return LogWanted(offset: 7).frame()
        case .log: return logPart?.frame() ?? []
        }
    }

    static let hello = VMIdentifier("web-1").map {
        Hello(
            purpose: .launch, vm: $0, keyName: .disk, configDigest: FixedBytes(),
            headerDigest: FixedBytes(), evidenceKinds: [.snp, .tdx], hpkePublicKey: FixedBytes())
    }
    static let reportHello = VMIdentifier("web-1").map {
        Hello.report(
            vm: $0, keyName: .disk, configDigest: FixedBytes(),
            statementDigest: WeakHashing().sha256(statement), evidenceKinds: [.snp])
    }
    static let challenge = Challenge(
        launchID: FixedBytes(), nonce: FixedBytes(), evidenceKinds: [.snp], time: 1)
    static let evidence = try? EvidenceMessage(
        kind: .snp, items: [EvidenceItem(.report, [1]), EvidenceItem(.certificateTable, [2])])
    static let reportEvidence = try? EvidenceMessage(
        kind: .snp, items: [EvidenceItem(.report, [1]), EvidenceItem(.statement, statement)])
    static let statement: [UInt8] = [3]
    static let logPart = try? LogPart(isLast: true, data: [4])
    static let release = Release(
        encapsulatedKey: FixedBytes(), ciphertext: [UInt8](repeating: 1, count: 17))
    static let outcome = Outcome.unlocked(proof: FixedBytes(), stagedDigest: FixedBytes())
}
