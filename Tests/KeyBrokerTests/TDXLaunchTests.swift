import AdminAPI
import Authenticators
import BrokerCore
import Bytes
import Endorsements
import Evidence
import Foundation
import Linux
import OpenSSL
import Policy
import Protocol
import Testing
import Verification

@testable import KeyBroker
@testable import SimulatedPSP

/// A simulated TDX machine at a broker, from TLS handshake to proof of unlock.
@Suite("A TD's launch", .serialized, .timeLimit(.minutes(15)))
struct TDXLaunchTests {
    private static let uuid = "0e2f8b1e-7c59-4a7b-9b06-7c1fb05f3a8e"
    private static let gateConf = """
        vm = td-1
        broker = 127.0.0.1:7411
        pin = sha256:\(String(repeating: "ab", count: 32))
        device = UUID=\(uuid)
        anchor = mrconfigid

        """
    private static let boot = MeasuredLaunch(
        firmware: [UInt8](repeating: 0xf1, count: 4096),
        boot: DirectBoot(kernel: [1], initrd: [2], commandLine: "quiet"),
        hashing: OpenSSLHashing())
    private static let policy = """
        name = "td"
        anchor = "mrconfigid"
        [[measurement]]
        label = "image"
        mrtd = "\(boot.mrTD.hex)"
        rtmr1 = "\(boot.log.registers[1].hex)"
        rtmr2 = "\(boot.log.registers[2].hex)"
        covers = ["firmware", "kernel", "initramfs", "command line"]
        [boot]
        required = true
        secure_boot = false
        """

    private let machine: TDXMachine
    private let folder = NSTemporaryDirectory() + "bootgate-td-\(UUID().uuidString)"
    private let config = OpenSSLHashing().sha256(Array(gateConf.utf8))

    init() throws {
        machine = try TDXMachine(
            TDXPlatform(fmspc: TDXPlatform.usualFMSPC, ppid: fixed(0x77)),
            under: TDXAuthority(now: Clock.realtime), now: Clock.realtime)
        try TDXFaults([]).collateral(of: machine, now: Clock.realtime)
            .write(folder: folder, fmspc: machine.platform.fmspc)
    }

    private func broker() async throws -> TestBroker {
        let anchor = TrustAnchor(
            name: "simulated", family: .tdx,
            keyDigest: machine.authority.rootKey.publicKeyInfoDigest)
        let broker = try await TestBroker(
            authenticator: PlatformAuthenticator([
                TDXAuthenticator(
                    verifier: TDXVerifier(anchors: [anchor]), cache: EndorsementCache(folder))
            ]))
        _ = try await broker.service.save(.init(toml: Self.policy), as: "td")
        let volumeKeyCheck: FixedBytes<32> = fixed(0x3c)
        let header: FixedBytes<32> = fixed(0x4d)
        _ = try await broker.service.enrol(
            "td-1",
            Enrolment(
                terms: EnrolmentTerms(
                    policy: "td", configDigest: config.hex, gateConf: Self.gateConf,
                    luksUUID: Self.uuid, keyName: "disk", keyslot: 1, headerDigest: header.hex,
                    volumeKeyCheck: Base64.encode(volumeKeyCheck.bytes)),
                key: secret(0x5e), proofKey: secret(0x9f)))
        return broker
    }

    private func guest(_ faults: Set<Fault> = []) -> TDXGuest {
        var domain = TrustDomain()
        domain.mrTD = Self.boot.mrTD
        domain.rtmr = Self.boot.log.registers
        domain.mrConfigID =
            FixedBytes(config.bytes + [UInt8](repeating: 0, count: 16)) ?? FixedBytes()
        return TDXGuest(
            domain, on: machine, version: 5, generation: .v1_5, faults: faults,
            localKey: secret(0x31))
    }

    private func launch(
        _ broker: TestBroker, _ vm: TestVM, _ guest: TDXGuest
    ) throws -> (session: AttesterSession, events: [AttesterEvent], binding: FixedBytes<64>) {
        var session = AttesterSession(
            hello: try vm.hello("td-1", config: config, kinds: [.tdx]),
            exporter: try vm.handshake(), hashing: OpenSSLHashing())
        try vm.send(session.start())
        _ = try session.receive(try vm.receive())
        let binding = try #require(session.reportData())
        try vm.send(session.send(evidence(guest, binding)))
        let events = try session.receive(try vm.receive())
        return (session, events, binding)
    }

    private func evidence(
        _ guest: TDXGuest, _ binding: FixedBytes<64>, _ more: [EvidenceItem] = []
    ) throws -> EvidenceMessage {
        try EvidenceMessage(
            kind: .tdx,
            items: [
                .init(.report, try guest.quote(binding.bytes)),
                .init(.eventLog, Self.boot.log.bytes),
            ] + more)
    }

    @Test("ends with its key and proof; its twin that has handed over gets none")
    func launchAndTwin() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try await broker()
        defer { broker.remove() }
        let vm = try TestVM(broker)
        var (session, events, binding) = try launch(broker, vm, guest())
        guard case .released(let release, _) = try #require(events.first) else {
            let record = try await broker.service.launch("L-00001")
            Issue.record("expected RELEASE, got \(events): \(record.refusedChecks)")
            return
        }
        let plaintext = try vm.key.open(
            enc: release.encapsulatedKey, info: binding.bytes, aad: [],
            ciphertext: release.ciphertext)
        let isTheKey = try ReleasePayload(parsing: plaintext).key.isEqual(to: secret(0x5e))
        #expect(isTheKey)
        let proof = HMAC.sha256(key: secret(0x9f), binding.bytes)
        try vm.send(session.send(.unlocked(proof: proof, stagedDigest: nil)))
        #expect(try session.receive(try vm.receive()) == [.closed])
        let record = try await broker.service.launch("L-00001")
        #expect(record.outcome == .unlocked)
        #expect(record.launchClass == .cpu && record.anchor == .mrconfigid)
        #expect(record.reportID == nil && record.measurement == Self.boot.mrTD.hex)

        let twin = try launch(broker, try TestVM(broker), guest([.handedOver]))
        let reference = try #require(LaunchReference("L-00002"))
        #expect(twin.events == [.refused(Refused(code: .refused, reference: reference))])
        let refused = try await broker.service.launch("L-00002")
        #expect(refused.refusedChecks == ["hand-over"] && refused.launchClass == .cpu)
        try await broker.stop()
    }

    @Test("with another quote than the session's gets nothing, and the ledger says why")
    func relayed() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try await broker()
        defer { broker.remove() }
        let twin = try launch(broker, try TestVM(broker), guest([.wrongReportData]))
        guard case .refused = try #require(twin.events.first) else {
            Issue.record("expected REFUSED, got \(twin.events)")
            return
        }
        let record = try await broker.service.launch("L-00001")
        #expect(record.refusedChecks == ["binding"] && record.launchClass == nil)
        try await broker.stop()
    }

    /// How the broker ends a report of a running TD without a TPM.
    private func report(_ broker: TestBroker, _ guest: TDXGuest) throws -> [AttesterEvent] {
        let vm = try TestVM(broker)
        let statement = RuntimeStatement(
            vm: "td-1", hostName: "td", certificate: fixed(0xce), attestationKeyName: [],
            sshHostKeys: [], bootID: "b", snapshot: nil
        ).encoded()
        var session = AttesterSession(
            hello: .report(
                vm: try #require(VMIdentifier("td-1")), keyName: .disk, configDigest: config,
                statementDigest: OpenSSLHashing().sha256(statement), evidenceKinds: [.tdx]),
            exporter: try vm.handshake(), hashing: OpenSSLHashing())
        try vm.send(session.start())
        _ = try session.receive(try vm.receive())
        let binding = try #require(session.reportData())
        try vm.send(session.send(evidence(guest, binding, [.init(.statement, statement)])))
        return try session.receive(try vm.receive())
    }

    @Test(
        "reports count after its hand-over, say nothing of files without a TPM, and fail it by policy"
    )
    func reports() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try await broker()
        defer { broker.remove() }
        #expect(try report(broker, guest([.handedOver])) == [.closed])
        let record = try await broker.service.report("R-00001")
        #expect(record.verdict == "not verified")
        let unmade = record.findings?.filter { $0.outcome == .notChecked }.map(\.check) ?? []
        #expect(unmade.contains("snapshot") && unmade.contains("IMA replay"))
        #expect(try await broker.service.runtime("td-1").state == .neverVerified)
        guard case .refused = try report(broker, guest([.wrongReportData])).first else {
            Issue.record("expected REFUSED")
            return
        }
        #expect(try await broker.service.report("R-00002").refusedChecks == ["binding"])
        #expect(try await broker.service.runtime("td-1").state == .neverVerified)
        try await broker.stop()
    }
}
