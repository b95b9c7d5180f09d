import AdminAPI
import Authenticators
import BrokerCore
import Bytes
import Curl
import Endorsements
import Evidence
import Foundation
import Linux
import NetIO
import OpenSSL
import Protocol
import Settings
import Store
import TestSupport
import Testing

@testable import KeyBroker

@Suite("Launch server", .serialized, .timeLimit(.minutes(15)))
struct LaunchServerTests {
    private static let uuid = "0e2f8b1e-7c59-4a7b-9b06-7c1fb05f3a8e"
    private static let gateConf = """
        vm = web-1
        broker = 127.0.0.1:7411
        pin = sha256:\(String(repeating: "ab", count: 32))
        device = UUID=\(uuid)
        anchor = host-data

        """

    private var config: FixedBytes<32> { OpenSSLHashing().sha256(Array(Self.gateConf.utf8)) }

    private func enrolment() -> Enrolment {
        let volumeKeyCheck: FixedBytes<32> = fixed(0x3c)
        let header: FixedBytes<32> = fixed(0x4d)
        return Enrolment(
            terms: EnrolmentTerms(
                policy: "web", configDigest: config.hex, gateConf: Self.gateConf,
                luksUUID: Self.uuid, keyName: "disk", keyslot: 1, headerDigest: header.hex,
                volumeKeyCheck: Base64.encode(volumeKeyCheck.bytes)),
            key: secret(0x5e), proofKey: secret(0x9f))
    }

    private func evidence(
        over binding: FixedBytes<64>, config: FixedBytes<32>
    ) throws -> EvidenceMessage {
        var report = SNPReportBuilder()
        report.set(0x50, binding.bytes)
        report.set(0xc0, config.bytes)
        return try EvidenceMessage(kind: .snp, items: [.init(.report, report.bytes)])
    }

    /// Goes as far as RELEASE; gives the session, what came, and the binding.
    private func launch(
        _ broker: TestBroker, _ vm: TestVM
    ) throws -> (session: AttesterSession, events: [AttesterEvent], binding: FixedBytes<64>) {
        var session = AttesterSession(
            hello: try vm.hello(config: config), exporter: try vm.handshake(),
            hashing: OpenSSLHashing())
        try vm.send(session.start())
        _ = try session.receive(try vm.receive())
        let binding = try #require(session.reportData())
        try vm.send(session.send(try evidence(over: binding, config: config)))
        let events = try session.receive(try vm.receive())
        return (session, events, binding)
    }

    @Test("a VM that proves itself gets its key, and its proof closes the launch")
    func wholeLaunch() async throws {
        let broker = try await TestBroker()
        defer { broker.remove() }
        let enrolled = try await broker.service.enrol("web-1", enrolment())
        #expect(enrolled.state == .enabled)
        let vm = try TestVM(broker)
        var (session, events, binding) = try launch(broker, vm)
        guard case .released(let release, _) = try #require(events.first) else {
            Issue.record("expected RELEASE, got \(events)")
            return
        }
        let plaintext = try vm.key.open(
            enc: release.encapsulatedKey, info: binding.bytes, aad: [],
            ciphertext: release.ciphertext)
        let payload = try ReleasePayload(parsing: plaintext)
        let isTheKey = payload.key.isEqual(to: secret(0x5e))
        #expect(isTheKey)
        #expect(try await broker.service.launch("L-00001").outcome == .open)
        let proof = HMAC.sha256(key: secret(0x9f), binding.bytes)
        try vm.send(session.send(.unlocked(proof: proof, stagedDigest: nil)))
        #expect(try session.receive(try vm.receive()) == [.closed])
        let record = try await broker.service.launch("L-00001")
        #expect(record.outcome == .unlocked)
        #expect(record.decision == .released)
        #expect(record.from == "127.0.0.1")
        #expect(record.findings?.isEmpty == false)
        #expect(try await broker.service.vm("web-1").lastLaunch == "L-00001")
        try await broker.stop()
    }

    @Test("a stranger is challenged like anybody, and told no more than a reference")
    func stranger() async throws {
        let broker = try await TestBroker()
        defer { broker.remove() }
        let vm = try TestVM(broker)
        let (_, events, _) = try launch(broker, vm)
        let reference = try #require(LaunchReference("L-00001"))
        #expect(events == [.refused(Refused(code: .refused, reference: reference))])
        #expect(try await broker.service.launch("L-00001").refusedChecks == ["identity"])
        try await broker.stop()
    }

    @Test("bytes that are no frame are answered with `malformed` and the end")
    func malformed() async throws {
        let broker = try await TestBroker()
        defer { broker.remove() }
        let vm = try TestVM(broker)
        var session = AttesterSession(
            hello: try vm.hello(config: config), exporter: try vm.handshake(),
            hashing: OpenSSLHashing())
        _ = session.start()
        try vm.send([9, 9, 9, 9, 9, 9])
        let answer = try vm.receive()
        #expect(answer.prefix(2) == [1, MessageType.refused.rawValue])
        #expect(try vm.receive().isEmpty)
        #expect(broker.authority.statistics.now.refusals[.malformed] == 1)
        try await broker.stop()
    }

    @Test("a late proof closes the launch whose own connection was lost")
    func lateProof() async throws {
        let broker = try await TestBroker()
        defer { broker.remove() }
        _ = try await broker.service.enrol("web-1", enrolment())
        let binding: FixedBytes<64>
        do {
            let vm = try TestVM(broker)
            binding = try launch(broker, vm).binding
        }
        let record = try await broker.service.launch("L-00001")
        #expect(record.outcome == .open)
        let late = LateOutcome(
            launchID: try #require(FixedBytes(hex: record.launchID)),
            proof: HMAC.sha256(key: secret(0x9f), binding.bytes))
        let vm = try TestVM(broker)
        var session = AttesterSession(
            lateOutcome: late, exporter: try vm.handshake(), hashing: OpenSSLHashing())
        try vm.send(session.start())
        #expect(try session.receive(try vm.receive()) == [.closed])
        #expect(try await broker.service.launch("L-00001").outcome == .unlocked)
        try await broker.stop()
    }

    @Test("a connection that says nothing is closed at its deadline")
    func deadline() async throws {
        let broker = try await TestBroker { $0.handshakeSeconds = 1 }
        defer { broker.remove() }
        let vm = try TestVM(broker)
        for _ in 0..<6000
        where broker.limits.count > 0
            || broker.authority.statistics.now
                .refusals[.deadline] == nil
        {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(broker.authority.statistics.now.refusals[.deadline] == 1)
        #expect(broker.limits.count == 0)
        #expect(throws: (any Error).self) { try vm.handshake() }
        try await broker.stop()
    }

    @Test("more connections than allowed are closed before a handshake")
    func tooMany() async throws {
        let broker = try await TestBroker { $0.maximumConnections = 1 }
        defer { broker.remove() }
        let first = try TestVM(broker)
        _ = try first.handshake()
        let second = try TestVM(broker)
        #expect(throws: (any Error).self) { try second.handshake() }
        #expect(broker.authority.statistics.now.refusals[.connections] == 1)
        try await broker.stop()
    }

    @Test("a stop lets a launch that holds its key deliver the outcome")
    func stop() async throws {
        let broker = try await TestBroker()
        defer { broker.remove() }
        _ = try await broker.service.enrol("web-1", enrolment())
        let vm = try TestVM(broker)
        let idle = try TestVM(broker)
        _ = try idle.handshake()
        var (session, _, binding) = try launch(broker, vm)
        let stopping = Task { try await broker.stop() }
        for _ in 0..<6000 where broker.limits.count > 1 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try idle.receive().isEmpty)
        let proof = HMAC.sha256(key: secret(0x9f), binding.bytes)
        try vm.send(session.send(.unlocked(proof: proof, stagedDigest: nil)))
        #expect(try session.receive(try vm.receive()) == [.closed])
        try await stopping.value
        #expect(try await broker.service.launch("L-00001").outcome == .unlocked)
    }

    @Test("an enrolment that disagrees with itself is refused with the field's name")
    func badEnrolments() async throws {
        let broker = try await TestBroker()
        defer { broker.remove() }
        let changes: [(String, (inout EnrolmentTerms) -> Void)] = [
            ("policy", { $0.policy = "none" }), ("configDigest", { $0.configDigest = "00" }),
            ("configDigest", { $0.configDigest = String(repeating: "0", count: 64) }),
            ("gateConf", { $0.gateConf = "vm = web-1\n" }),
            ("gateConf", { $0.luksUUID = "0e2f8b1e-7c59-4a7b-9b06-7c1fb05f3a8f" }),
            ("luksUUID", { $0.luksUUID = "disk" }), ("keyName", { $0.keyName = "../disk" }),
            ("keyslot", { $0.keyslot = 32 }), ("headerDigest", { $0.headerDigest = "xyz" }),
            ("volumeKeyCheck", { $0.volumeKeyCheck = "AAAA" }),
        ]
        for (field, change) in changes {
            var broken = enrolment()
            change(&broken.terms)
            var named: String?
            do {
                _ = try await broker.service.enrol("web-1", broken)
            } catch let fault as AdminFault {
                named = fault.field
            }
            #expect(named == field)
        }
        #expect(try await broker.service.vms().vms.isEmpty)
        try await broker.stop()
    }

    @Test("a policy is stored under its own name only, and a bad one names the key")
    func policies() async throws {
        let broker = try await TestBroker()
        defer { broker.remove() }
        await #expect(throws: AdminFault.self) {
            try await broker.service.save(.init(toml: TestBroker.toml), as: "db")
        }
        #expect(throws: AdminFault.self) {
            try broker.service.check(.init(toml: "name = \"web\"\nsurprise = 1\n"))
        }
        let list = try await broker.service.policies().policies
        #expect(list.map(\.name) == ["web"])
        #expect(list.first?.vms == 0)
        try await broker.stop()
    }

    @Test("a VM is told to come back while its endorsements are fetched, and gets its key then")
    func held() async throws {
        let vendor = try VendorServer()
        defer { vendor.stop() }
        let list = try CRLIssuer.issue(
            CRLTemplate(
                issuer: .init(commonName: "ARK-Genoa"), thisUpdate: 0, nextUpdate: 4_000_000_000,
                entries: [], signature: .ecdsaSHA256), issuerKey: SigningKey.generate(.p256))
        vendor.answer("/vcek/v1/Genoa/crl", .good(list))
        let folder = NSTemporaryDirectory() + "bootgate-supply-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = EndorsementCache(folder)
        let (events, continuation) = AsyncStream.makeStream(of: EndorsementFetcher.Event.self)
        let fetcher = EndorsementFetcher(
            cache: cache, services: EndorsementServices(amd: vendor.url),
            transport: EndorsementFetcher.transport(Downloader(proxy: .none)),
            observe: { continuation.yield($0) })
        let broker = try await TestBroker(
            authenticator: NeedyAuthenticator(cache: cache),
            desk: EndorsementDesk(cache: cache, fetcher: fetcher))
        defer { broker.remove() }
        _ = try await broker.service.enrol("web-1", enrolment())
        let early = try launch(broker, try TestVM(broker))
        guard case .held(let held) = try #require(early.events.first) else {
            Issue.record("expected HELD, got \(early.events)")
            return
        }
        #expect((5...7).contains(held.retryAfterSeconds))
        #expect(held.reference.description == "L-00001")
        #expect(try await broker.service.launch("L-00001").decision == .held)
        for await event in events {
            #expect(event.fault == nil)
            break
        }
        let late = try launch(broker, try TestVM(broker))
        guard case .released = try #require(late.events.first) else {
            Issue.record("expected RELEASE, got \(late.events)")
            return
        }
        #expect(vendor.requests == ["/vcek/v1/Genoa/crl"])
        fetcher.stop()
        try await broker.stop()
    }
}

/// Believes reports only where the cache has the revocation list of Genoa.
private struct NeedyAuthenticator: EvidenceAuthenticator {
    let cache: EndorsementCache

    var kinds: Set<EvidenceKind> { [.snp] }

    func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        var result = try TrustingAuthenticator().authenticate(evidence, binding: binding, at: time)
        if !cache.contains(.amdRevocations(.genoa)) {
            result.claims = nil
            result.missing = [.amdRevocations(.genoa)]
        }
        return result
    }
}
