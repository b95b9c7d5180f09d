import Bytes
import Protocol
import Testing

@Suite struct MessageTests {
    @Test("has a vector for every type of message")
    func complete() {
        let named = Set(Vector.frames.compactMap { $0.keys["frame"] })
        #expect(named == Set(MessageType.allCases.map(\.description)))
    }

    @Test("reads every field of a golden frame and writes the same bytes", arguments: Vector.frames)
    func golden(vector: Vector) throws {
        let described = try Described(frame: try vector.bytes.onlyFrame())
        #expect(described.fields == vector.keys)
        #expect(described.frame == vector.bytes)
    }

    @Test("refuses a body cut at any length, and one with a byte more", arguments: Vector.frames)
    func truncated(vector: Vector) throws {
        let frame = try vector.bytes.onlyFrame()
        for length in 0..<frame.body.count {
            let cut = Frame(type: frame.type, body: Array(frame.body[..<length]))
            #expect(throws: ParseError.self, "\(vector.name) at \(length)") {
                _ = try Described(frame: cut)
            }
        }
        guard frame.type.maximumBodyLength > 0 else { return }
        #expect(throws: ParseError.self) {
            _ = try Described(frame: Frame(type: frame.type, body: frame.body + [0]))
        }
    }

    @Test(
        "refuses each malformed frame with the expected words",
        arguments: Vector.all.filter { $0.name.hasPrefix("refused-") })
    func refused(vector: Vector) throws {
        vector.expectKeys(["expect"])
        let error = #expect(throws: SessionError.self) {
            var input = vector.bytes[...]
            var reader = FrameReader()
            let all = Set(MessageType.allCases)
            let frame = try #require(try reader.next(from: &input, allowed: all))
            do {
                _ = try Described(frame: frame)
            } catch let error as ParseError {
                throw SessionError.malformed(frame.type, error)
            }
        }
        #expect(error?.description == vector.keys["expect"])
    }

    @Test("sends a detail that no terminal can be steered with")
    func detail() throws {
        let outcome = Outcome.failed(
            reason: .other, detail: "\u{1b}[2Jé" + String(repeating: "x", count: 400))
        let sent = try Outcome(parsing: outcome.encoded())
        guard case .failed(.other, let detail) = sent else {
            Issue.record("got \(sent)")
            return
        }
        #expect(detail.hasPrefix("?[2J??xxx"))
        #expect(detail.utf8.count == Outcome.maximumDetailLength)
    }

    @Test("judges evidence before it is sent, since its parts come from a host")
    func evidence() throws {
        let largest = [UInt8](repeating: 0, count: EvidenceItem.maximumLength)
        let body = try EvidenceMessage(
            kind: .snp, items: [EvidenceItem(.report, largest), EvidenceItem(.eventLog, [1])])
        #expect(try EvidenceMessage(parsing: body.encoded()) == body)
        let tooMuch: [[EvidenceItem]] = [
            [EvidenceItem(.report, largest + [0])],
            [EvidenceItem(.report, largest), EvidenceItem(.eventLog, largest)],
            [EvidenceItem(.certificateTable, [1]), EvidenceItem(.report, [1])],
            [],
            [EvidenceItem(.report, [1]), EvidenceItem(.statement, [UInt8](largest[..<16385]))],
        ]
        for items in tooMuch {
            #expect(throws: ParseError.self) {
                _ = try EvidenceMessage(kind: .snp, items: items)
            }
        }
    }

    @Test("a release holds a ciphertext of 17 to 2048 bytes")
    func release() {
        for (count, isRight) in [(16, false), (17, true), (2048, true), (2049, false)] {
            let bytes = [UInt8](repeating: 0, count: count)
            #expect((Release(encapsulatedKey: FixedBytes(), ciphertext: bytes) != nil) == isRight)
        }
    }

    @Test("a stretch of a log has at most 256 KiB, and is empty only where the log ends")
    func logPart() throws {
        let longest = [UInt8](repeating: 0, count: 1 << 18)
        let part = try LogPart(isLast: false, data: longest)
        #expect(part.encoded().count == MessageType.log.maximumBodyLength)
        #expect(try LogPart(parsing: part.encoded()) == part)
        #expect(throws: ParseError.self) { _ = try LogPart(isLast: true, data: longest + [0]) }
        #expect(throws: ParseError.self) { _ = try LogPart(isLast: false, data: []) }
    }

    @Test("lets no body outgrow the maximum of its type")
    func maxima() throws {
        let longest = Hello(
            purpose: .launch, vm: try #require(VMIdentifier(String(repeating: "a", count: 64))),
            keyName: try #require(KeyName(String(repeating: "k", count: 32))),
            configDigest: FixedBytes(), headerDigest: FixedBytes(),
            evidenceKinds: Set(EvidenceKind.allCases), hpkePublicKey: FixedBytes())
        #expect(longest.encoded().count <= MessageType.hello.maximumBodyLength)
        let release = try #require(
            Release(
                encapsulatedKey: FixedBytes(), ciphertext: [UInt8](repeating: 0, count: 2048)))
        #expect(release.encoded().count == MessageType.release.maximumBodyLength)
        let outcome = Outcome.failed(reason: .other, detail: String(repeating: "x", count: 256))
        #expect(outcome.encoded().count == MessageType.outcome.maximumBodyLength)
    }
}

extension [UInt8] {
    /// The frame that these bytes are, whole and alone.
    func onlyFrame() throws -> Frame {
        var input = self[...]
        var reader = FrameReader()
        let frame = try reader.next(from: &input, allowed: Set(MessageType.allCases))
        #expect(input.isEmpty)
        return try #require(frame)
    }
}

/// A parsed message in the words of a vector file, and encoded anew.
private struct Described {
    var fields: [String: String]
    var frame: [UInt8]

    init(frame: Frame) throws {
        let body = frame.body
        switch frame.type {
        case .hello: self.init(try Hello(parsing: body))
        case .challenge: self.init(try Challenge(parsing: body))
        case .evidence: self.init(try EvidenceMessage(parsing: body))
        case .release: self.init(try Release(parsing: body))
        case .refused: self.init(try Refused(parsing: body))
        case .held: self.init(try Held(parsing: body))
        case .outcome: self.init(try Outcome(parsing: body))
        case .lateOutcome: self.init(try LateOutcome(parsing: body))
        case .logWanted: self.init(try LogWanted(parsing: body))
        case .log: self.init(try LogPart(parsing: body))
        case .commit, .close: self.init(fields: [:], frame: Frame.encode(frame.type))
        }
        fields["frame"] = frame.type.description
    }

    private init(fields: [String: String], frame: [UInt8]) {
        self.fields = fields
        self.frame = frame
    }

    private init(_ hello: Hello) {
        fields = [
            "purpose": "\(hello.purpose)", "vm_id": "\(hello.vm)", "key_name": "\(hello.keyName)",
            "config_digest": hello.configDigest.hex, "header_digest": hello.headerDigest.hex,
            "evidence_kinds": Self.kinds(hello.evidenceKinds),
            "hpke_public_key": hello.hpkePublicKey.hex,
        ]
        frame = hello.frame()
    }

    private init(_ challenge: Challenge) {
        fields = [
            "launch_id": challenge.launchID.hex, "nonce": challenge.nonce.hex,
            "evidence_kinds": Self.kinds(challenge.evidenceKinds), "time": "\(challenge.time)",
        ]
        frame = challenge.frame()
    }

    private init(_ evidence: EvidenceMessage) {
        fields = [
            "kind": "\(evidence.kind)",
            "attestation_key_name": Hex.encode(evidence.attestationKeyName),
            "items": evidence.items.map { "\($0.content.rawValue):\(Hex.encode($0.data))" }
                .joined(separator: " "),
        ]
        frame = evidence.frame()
    }

    private init(_ release: Release) {
        fields = [
            "encapsulated_key": release.encapsulatedKey.hex,
            "ciphertext": Hex.encode(release.ciphertext),
        ]
        frame = release.frame()
    }

    private init(_ refused: Refused) {
        fields = ["code": "\(refused.code)", "reference": "\(refused.reference)"]
        frame = refused.frame()
    }

    private init(_ held: Held) {
        fields = [
            "retry_after_seconds": "\(held.retryAfterSeconds)", "reference": "\(held.reference)",
        ]
        frame = held.frame()
    }

    private init(_ outcome: Outcome) {
        fields =
            switch outcome {
            case .unlocked(let proof, let staged):
                ["result": "unlocked", "proof": proof.hex, "staged_digest": staged?.hex ?? ""]
            case .failed(let reason, let detail):
                ["result": "failed", "reason": "\(reason)", "detail": detail]
            }
        frame = outcome.frame()
    }

    private init(_ late: LateOutcome) {
        fields = ["launch_id": late.launchID.hex, "proof": late.proof.hex]
        frame = late.frame()
    }

    private init(_ wanted: LogWanted) {
        fields = ["offset": "\(wanted.offset)"]
        frame = wanted.frame()
    }

    private init(_ part: LogPart) {
        fields = ["last": part.isLast ? "yes" : "no", "data": Hex.encode(part.data)]
        frame = part.frame()
    }

    private static func kinds(_ kinds: Set<EvidenceKind>) -> String {
        kinds.sorted().map(\.description).joined(separator: " ")
    }
}
