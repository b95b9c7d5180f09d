import Bytes
import OpenSSL
import Protocol
import Testing

@Suite("Runtime report") struct ReportSessionTests {
    @Test("runs to its end, with the log in parts or without it", arguments: [0, 1, 2, 5])
    func report(parts: Int) throws {
        let fixture = try SessionFixture(.runtime)
        var attester = try fixture.attester("idle")
        var verifier = try fixture.verifier("awaiting first")
        #expect(try verifier.receive(attester.start()) == [.hello(fixture.hello)])
        _ = try attester.receive(try verifier.challenge(fixture.challenge))
        let reportData = try #require(attester.reportData())
        #expect(
            try verifier.receive(try attester.send(fixture.evidence))
                == [.evidence(fixture.evidence, binding: reportData)])
        if parts > 0 {
            let wanted = try verifier.askForLog(offset: 1 << 40)
            #expect(try attester.receive(wanted) == [.logWanted(offset: 1 << 40)])
            for number in 1...parts {
                let part = try LogPart(isLast: number == parts, data: [UInt8(number)])
                #expect(try verifier.receive(try attester.send(part)) == [.log(part)])
            }
        }
        #expect(try attester.receive(try verifier.close()) == [.closed])
        #expect(attester.isFinished && verifier.isFinished)
    }

    @Test("parts that arrive at once are told one by one, and what follows the last is refused")
    func burst() throws {
        let fixture = try SessionFixture(.runtime)
        let parts = fixture.logPart.frame() + fixture.lastPart.frame()
        var verifier = try fixture.verifier("awaiting log")
        #expect(try verifier.receive(parts) == [.log(fixture.logPart), .log(fixture.lastPart)])
        verifier = try fixture.verifier("awaiting log")
        #expect(throws: SessionError.bytesOutOfTurn(count: 1)) {
            _ = try verifier.receive(parts + [1])
        }
        #expect(throws: SessionError.dead) { _ = try verifier.close() }
    }

    @Test("the log is given once: no part follows the last, no second request follows the log")
    func once() throws {
        let fixture = try SessionFixture(.runtime)
        var attester = try fixture.attester("awaiting decision on log")
        #expect(throws: SessionError.cannotSend(.log)) { _ = try attester.send(fixture.lastPart) }
        attester = try fixture.attester("awaiting decision on log")
        #expect(throws: SessionError.unexpectedMessage(.logWanted)) {
            _ = try attester.receive(fixture.wanted.frame())
        }
    }

    @Test("the evidence carries the statement that HELLO names, and a launch carries none")
    func statement() throws {
        let report = EvidenceItem(.report, [1, 2, 3])
        let launch = try SessionFixture()
        let runtime = try SessionFixture(.runtime)
        let wrong: [(SessionFixture, [EvidenceItem], String)] = [
            (
                launch, [report, EvidenceItem(.statement, Array("{}".utf8))],
                "expected no statement for a launch"
            ),
            (runtime, [report], "expected the statement that HELLO's header_digest names"),
            (
                runtime, [report, EvidenceItem(.statement, Array("{ }".utf8))],
                "expected the statement that HELLO's header_digest names"
            ),
        ]
        for (fixture, items, rule) in wrong {
            let evidence = try EvidenceMessage(kind: .snp, items: items)
            let error = SessionError.malformed(.evidence, .invalid(field: "items", rule: rule))
            var verifier = try fixture.verifier("awaiting evidence")
            #expect(throws: error) { _ = try verifier.receive(evidence.frame()) }
            #expect(throws: SessionError.dead) { _ = try verifier.receive([]) }
            var attester = try fixture.attester("challenged")
            #expect(throws: error) { _ = try attester.send(evidence) }
            #expect(throws: SessionError.dead) { _ = try attester.receive([]) }
        }
    }

    @Test("HELLO of a report has no key to seal to")
    func hello() throws {
        let hello = try SessionFixture(.runtime).hello
        let made = Hello.report(
            vm: hello.vm, keyName: hello.keyName, configDigest: hello.configDigest,
            statementDigest: hello.headerDigest, evidenceKinds: hello.evidenceKinds)
        #expect(made == hello)
        #expect(try Hello(parsing: made.encoded()) == made)
    }

    /// The tables in docs/protocol.md, section 5, for purpose runtime.
    static let attesterTable: [(String, Set<MessageType>)] = [
        ("idle", []),
        ("awaiting challenge", [.challenge, .refused]),
        ("challenged", [.refused]),
        ("awaiting decision", [.logWanted, .close, .refused, .held]),
        ("sending log", [.refused]),
        ("awaiting decision on log", [.close, .refused, .held]),
        ("finished", []),
    ]

    @Test("the attester takes exactly the messages of its state", arguments: attesterTable)
    func attester(state: String, allowed: Set<MessageType>) throws {
        try SessionTests().attester(SessionFixture(.runtime), state, allowed)
    }

    @Test("the attester sends evidence once challenged, the log once asked, never an outcome")
    func attesterSends() throws {
        for fixture in [try SessionFixture(), try SessionFixture(.runtime)] {
            let table =
                fixture.purpose == .runtime ? Self.attesterTable : SessionTests.attesterTable
            for (state, _) in table {
                let calls: [(MessageType, String, (inout AttesterSession) throws -> [UInt8])] = [
                    (.evidence, "challenged", { try $0.send(fixture.evidence) }),
                    (.log, "sending log", { try $0.send(fixture.logPart) }),
                    (.outcome, "released", { try $0.send(fixture.outcome) }),
                ]
                for (type, right, call) in calls {
                    var session = try fixture.attester(state)
                    if state == right {
                        #expect(try call(&session) == fixture.frame(type), "\(state) \(type)")
                    } else {
                        #expect(throws: SessionError.cannotSend(type), "\(state) \(type)") {
                            _ = try call(&session)
                        }
                        #expect(throws: SessionError.dead) { _ = try session.receive([]) }
                    }
                }
            }
        }
    }

    static let verifierTable: [(String, Set<MessageType>, Set<MessageType>)] = [
        ("greeted", [], [.challenge, .refused]),
        ("awaiting evidence", [.evidence], [.refused]),
        ("appraising", [], [.logWanted, .close, .refused, .held]),
        ("awaiting log", [.log], [.refused]),
        ("appraising log", [], [.close, .refused, .held]),
        ("finished", [], []),
    ]

    @Test("the verifier takes exactly the messages of its state", arguments: verifierTable)
    func verifierTakes(state: String, allowed: Set<MessageType>, _: Set<MessageType>) throws {
        try SessionTests().verifier(SessionFixture(.runtime), state, takes: allowed)
    }

    @Test("the verifier sends exactly the messages of its state", arguments: verifierTable)
    func verifierSends(state: String, _: Set<MessageType>, allowed: Set<MessageType>) throws {
        try SessionTests().verifier(SessionFixture(.runtime), state, sends: allowed)
    }
}
