import Bytes
import OpenSSL
import Protocol
import Testing

@Suite struct SessionTests {
    @Test(
        "a launch runs to its end and both sides hold the same binding", arguments: [1, 2, 7, 1000])
    func launch(chunk: Int) throws {
        let fixture = try SessionFixture()
        var attester = try fixture.attester("idle")
        var verifier = try fixture.verifier("awaiting first")
        #expect(try verifier.receive(attester.start(), by: chunk) == [.hello(fixture.hello)])
        let challenge = try verifier.challenge(fixture.challenge)
        #expect(try attester.receive(challenge, by: chunk) == [.challenge(fixture.challenge)])
        let reportData = try #require(attester.reportData())
        let evidence = try attester.send(fixture.evidence)
        #expect(
            try verifier.receive(evidence, by: chunk)
                == [.evidence(fixture.evidence, binding: reportData)])
        let release = try verifier.release(fixture.release)
        #expect(
            try attester.receive(release, by: chunk)
                == [.released(fixture.release, binding: reportData)])
        let outcome = try attester.send(fixture.stagedOutcome)
        #expect(try verifier.receive(outcome, by: chunk) == [.outcome(fixture.stagedOutcome)])
        #expect(try attester.receive(try verifier.commit(), by: chunk) == [.commit])
        #expect(attester.isFinished && verifier.isFinished)
    }

    @Test("a late outcome is a connection of its own")
    func late() throws {
        let fixture = try SessionFixture()
        var attester = AttesterSession(
            lateOutcome: fixture.late, exporter: SessionFixture.exporter,
            hashing: OpenSSLHashing())
        var verifier = try fixture.verifier("awaiting first")
        #expect(try verifier.receive(attester.start()) == [.lateOutcome(fixture.late)])
        #expect(try attester.receive(try verifier.close()) == [.closed])
    }

    /// The table in docs/protocol.md, "Attester".
    static let attesterTable: [(String, Set<MessageType>)] = [
        ("idle", []),
        ("awaiting challenge", [.challenge, .refused]),
        ("challenged", [.refused]),
        ("awaiting decision", [.release, .refused, .held]),
        ("released", []),
        ("awaiting close", [.close, .refused]),
        ("awaiting commit", [.commit, .close, .refused]),
        ("late, awaiting close", [.close, .refused]),
        ("finished", []),
    ]

    @Test("the attester takes exactly the messages of its state", arguments: attesterTable)
    func attester(state: String, allowed: Set<MessageType>) throws {
        try attester(SessionFixture(), state, allowed)
    }

    func attester(
        _ fixture: SessionFixture, _ state: String, _ allowed: Set<MessageType>
    ) throws {
        for type in MessageType.allCases {
            var session = try fixture.attester(state)
            if allowed.contains(type) {
                #expect(try session.receive(fixture.frame(type)).count == 1, "\(state) \(type)")
            } else {
                #expect(throws: SessionError.self, "\(state) \(type)") {
                    _ = try session.receive(fixture.frame(type))
                }
                #expect(throws: SessionError.dead) { _ = try session.receive([]) }
                #expect(throws: SessionError.dead) { _ = try session.send(fixture.outcome) }
                #expect(throws: SessionError.dead) { _ = try session.send(fixture.evidence) }
                #expect(throws: SessionError.dead) { _ = try session.send(fixture.logPart) }
            }
        }
    }

    /// The table in docs/protocol.md, "Verifier".
    static let verifierTable: [(String, Set<MessageType>, Set<MessageType>)] = [
        ("awaiting first", [.hello, .lateOutcome], [.refused]),
        ("greeted", [], [.challenge, .refused]),
        ("awaiting evidence", [.evidence], [.refused]),
        ("appraising", [], [.release, .refused, .held]),
        ("awaiting outcome", [.outcome], []),
        ("settling", [], [.close, .refused]),
        ("settling staged", [], [.commit, .close, .refused]),
        ("late", [], [.close, .refused]),
        ("finished", [], []),
    ]

    @Test("the verifier takes exactly the messages of its state", arguments: verifierTable)
    func verifierTakes(state: String, allowed: Set<MessageType>, _: Set<MessageType>) throws {
        try verifier(SessionFixture(), state, takes: allowed)
    }

    func verifier(
        _ fixture: SessionFixture, _ state: String, takes allowed: Set<MessageType>
    ) throws {
        for type in MessageType.allCases {
            var session = try fixture.verifier(state)
            if allowed.contains(type) {
                #expect(try session.receive(fixture.frame(type)).count == 1, "\(state) \(type)")
            } else {
                #expect(throws: SessionError.self, "\(state) \(type)") {
                    _ = try session.receive(fixture.frame(type))
                }
                #expect(throws: SessionError.dead) { _ = try session.receive([]) }
                #expect(throws: SessionError.dead) { _ = try session.refuse(fixture.refused) }
                #expect(throws: SessionError.dead) { _ = try session.close() }
            }
        }
    }

    @Test("the verifier sends exactly the messages of its state", arguments: verifierTable)
    func verifierSends(state: String, _: Set<MessageType>, allowed: Set<MessageType>) throws {
        try verifier(SessionFixture(), state, sends: allowed)
    }

    func verifier(
        _ fixture: SessionFixture, _ state: String, sends allowed: Set<MessageType>
    ) throws {
        let calls: [(MessageType, (inout VerifierSession) throws -> [UInt8])] = [
            (.challenge, { try $0.challenge(fixture.challenge) }),
            (.release, { try $0.release(fixture.release) }),
            (.logWanted, { try $0.askForLog(offset: 9) }),
            (.refused, { try $0.refuse(fixture.refused) }),
            (.held, { try $0.hold(fixture.held) }),
            (.commit, { try $0.commit() }),
            (.close, { try $0.close() }),
        ]
        for (type, call) in calls {
            var session = try fixture.verifier(state)
            if allowed.contains(type) {
                #expect(try call(&session) == fixture.frame(type), "\(state) \(type)")
            } else {
                #expect(throws: SessionError.cannotSend(type), "\(state) \(type)") {
                    _ = try call(&session)
                }
                #expect(throws: SessionError.dead) { _ = try session.receive([]) }
            }
        }
    }

    @Test("there is report data to ask evidence over exactly while the attester is challenged")
    func reportData() throws {
        let fixture = try SessionFixture()
        for (state, _) in Self.attesterTable {
            let session = try fixture.attester(state)
            #expect((session.reportData() != nil) == (state == "challenged"), "\(state)")
        }
    }

    @Test("evidence is only of a kind that both sides named")
    func kinds() throws {
        let fixture = try SessionFixture()
        func challenge(_ kinds: Set<EvidenceKind>) -> Challenge {
            Challenge(launchID: FixedBytes(), nonce: FixedBytes(), evidenceKinds: kinds, time: 0)
        }
        let svsm = try EvidenceMessage(kind: .svsm, items: [EvidenceItem(.report, [1])])
        #expect(throws: SessionError.evidenceKindNotAgreed(.tdx)) {
            var attester = try fixture.attester("awaiting challenge")
            _ = try attester.receive(challenge([.snp, .tdx]).frame())
        }
        #expect(throws: SessionError.evidenceKindNotAgreed(.svsm)) {
            var attester = try fixture.attester("challenged")
            _ = try attester.send(svsm)
        }
        #expect(throws: SessionError.evidenceKindNotAgreed(.tdx)) {
            var verifier = try fixture.verifier("greeted")
            _ = try verifier.challenge(challenge([.tdx]))
        }
        #expect(throws: SessionError.noEvidenceKind) {
            var verifier = try fixture.verifier("greeted")
            _ = try verifier.challenge(challenge([]))
        }
        #expect(throws: SessionError.evidenceKindNotAgreed(.svsm)) {
            var verifier = try fixture.verifier("awaiting evidence")
            _ = try verifier.receive(svsm.frame())
        }
    }

    @Test("the binding names the attestation key, the exporter and both frames")
    func binding() throws {
        let fixture = try SessionFixture()
        let session = try fixture.attester("challenged")
        #expect(session.reportData() != session.reportData(attestationKeyName: [1]))
        var other = AttesterSession(
            hello: fixture.hello, exporter: FixedBytes(), hashing: OpenSSLHashing())
        _ = other.start()
        _ = try other.receive(fixture.challenge.frame())
        #expect(session.reportData() != other.reportData())
    }
}

extension AttesterSession {
    fileprivate mutating func receive(_ bytes: [UInt8], by chunk: Int) throws -> [AttesterEvent] {
        try bytes.chunks(chunk).flatMap { try receive($0) }
    }
}

extension VerifierSession {
    fileprivate mutating func receive(_ bytes: [UInt8], by chunk: Int) throws -> [VerifierEvent] {
        try bytes.chunks(chunk).flatMap { try receive($0) }
    }
}

extension [UInt8] {
    func chunks(_ size: Int) -> [[UInt8]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
