import AdminAPI
import BrokerCore
import Bytes
import Foundation
import OpenSSL
import Policy
import Protocol
import Store
import TestSupport
import Testing

@Suite("Launch authority")
struct LaunchAuthorityTests {
    let sample: Sample

    init() async throws {
        sample = try await Sample()
    }

    @Test("a launch that every check accepts gets the key, sealed to its own key and binding")
    func release() async throws {
        let attester = try Attester()
        let (verdict, launch) = try await attester.ask(sample)
        let (release, recorded) = try #require(verdict.released)
        let plaintext = try attester.key.open(
            enc: release.encapsulatedKey, info: attester.binding.bytes, aad: [],
            ciphertext: release.ciphertext)
        let payload = try ReleasePayload(parsing: plaintext)
        #expect(payload.launchID == launch.id)
        #expect(payload.keyslot == 1)
        #expect(payload.volumeKeyCheck == fixed(0x3c))
        let isTheKey = payload.key.isEqual(to: secret(0x5e))
        #expect(isTheKey)
        let row = try #require(try await sample.store.launch(number: recorded.number))
        #expect(row.outcome == .open)
        #expect(row.entry.decision == .released)
        #expect(row.entry.refusedChecks.isEmpty)
        #expect(row.entry.policyIdentity == fixed(1))
        let findings = try JSONDecoder().decode(
            [Finding].self, from: Data(row.entry.findings.utf8))
        let checks = findings.map(\.check)
        #expect(checks.first == "binding" && Array(checks.suffix(2)) == ["purpose", "key name"])
        #expect(checks.contains("measurement") && Set(checks).count == checks.count)
    }

    @Test("a release does not open with another binding")
    func otherBinding() async throws {
        let attester = try Attester()
        let (verdict, _) = try await attester.ask(sample)
        let (release, _) = try #require(verdict.released)
        let opened: Bool
        do {
            _ = try attester.key.open(
                enc: release.encapsulatedKey, info: [UInt8](repeating: 0, count: 64), aad: [],
                ciphertext: release.ciphertext)
            opened = true
        } catch {
            opened = false
        }
        #expect(!opened)
    }

    @Test("an unknown VM is refused only after its evidence, with the finding `identity`")
    func unknownVM() async throws {
        var attester = try Attester()
        attester.vm = "web-2"
        let (verdict, _) = try await attester.ask(sample)
        let refusal = try #require(verdict.refusal)
        #expect(refusal == (.refused, "L-00001"))
        #expect(try await sample.newest()?.entry.refusedChecks == ["identity"])
    }

    @Test("a disabled VM is refused, with the finding `VM state`")
    func disabledVM() async throws {
        try await sample.store.setEnabled(false, vm: "web-1", reason: nil, at: 2)
        let attester = try Attester()
        let (verdict, _) = try await attester.ask(sample)
        #expect(verdict.released == nil)
        #expect(try await sample.newest()?.entry.refusedChecks == ["VM state"])
    }

    @Test("another disk header, key name or purpose is refused by its own finding")
    func otherTerms() async throws {
        var attester = try Attester()
        attester.headerDigest = fixed(0)
        attester.keyName = "data"
        attester.purpose = .runtime
        let (verdict, _) = try await attester.ask(sample)
        #expect(verdict.released == nil)
        #expect(
            try await sample.newest()?.entry.refusedChecks == [
                "disk header", "purpose", "key name",
            ])
    }

    @Test("a policy that this version cannot read refuses")
    func unreadablePolicy() async throws {
        try await sample.store.save(
            StoredPolicy(name: "web", identity: fixed(2), toml: "newer", created: 1))
        let attester = try Attester()
        let (verdict, _) = try await attester.ask(sample)
        #expect(verdict.released == nil)
        #expect(try await sample.newest()?.entry.refusedChecks == ["policy"])
    }

    @Test("nothing is released to a REPORT_ID that has proved its unlock")
    func oncePerReport() async throws {
        let attester = try Attester()
        let (_, recorded) = try #require(try await attester.ask(sample).0.released)
        #expect(try await attester.ask(sample).0.released != nil)
        let proof = Outcome.unlocked(
            proof: Attester.proof(attester.binding), stagedDigest: nil)
        #expect(await sample.conclude(proof, recorded))
        #expect(try await attester.ask(sample).0.released == nil)
        #expect(try await sample.newest()?.entry.refusedChecks == ["report ID"])
    }

    @Test("a key that does not unseal is not released, and the ledger says so")
    func sealedForAnotherVM() async throws {
        try await sample.enrol("web-1", keyFor: "web-2")
        let attester = try Attester()
        let (verdict, _) = try await attester.ask(sample)
        #expect(verdict.released == nil)
        for _ in 0..<6000 where try await sample.newest()?.outcome == .open {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try await sample.newest()?.failure == "broker could not seal the key")
    }

    @Test("a proof closes its launch; another's does not count")
    func proofs() async throws {
        let attester = try Attester()
        let (_, recorded) = try #require(try await attester.ask(sample).0.released)
        let wrong = Outcome.unlocked(proof: Attester.proof(fixed(0)), stagedDigest: nil)
        #expect(await sample.conclude(wrong, recorded))
        #expect(try await sample.newest()?.outcome == .failed)
        #expect(try await sample.newest()?.failure == "proof of unlock refused")
        #expect(try await attester.ask(sample).0.released != nil)
    }

    @Test("a failed outcome is kept with its reason")
    func failure() async throws {
        let attester = try Attester()
        let (_, recorded) = try #require(try await attester.ask(sample).0.released)
        let outcome = Outcome.failed(reason: .keyslotRefusedKey, detail: "keyslot 1\u{1b}[2J")
        #expect(await sample.conclude(outcome, recorded))
        let row = try await sample.newest()
        #expect(row?.outcome == .failed)
        #expect(row?.failure == "keyslot refused key")
        #expect(row?.failureDetail == "keyslot 1[2J")
    }

    @Test("a late proof is accepted once, for an open launch, and only if it is right")
    func lateProof() async throws {
        let attester = try Attester()
        let (_, recorded) = try #require(try await attester.ask(sample).0.released)
        let id = recorded.entry.launchID
        let proof = Attester.proof(attester.binding)
        #expect(await sample.conclude(LateOutcome(launchID: id, proof: fixed(0))) == false)
        #expect(await sample.conclude(LateOutcome(launchID: fixed(9), proof: proof)) == false)
        #expect(try await sample.newest()?.outcome == .open)
        #expect(await sample.conclude(LateOutcome(launchID: id, proof: proof)))
        #expect(try await sample.newest()?.outcome == .unlocked)
        #expect(await sample.conclude(LateOutcome(launchID: id, proof: proof)) == false)
    }

    @Test("evidence that is not authentic is shown to the owner, a bounded number of times")
    func strangers() async throws {
        let sample = try await Sample(strangerRows: (perAddress: 2, total: 3))
        var attester = try Attester()
        attester.isBound = false
        for _ in 0..<4 { #expect(try await attester.ask(sample).0.released == nil) }
        #expect(try await sample.store.launches(.init()).count == 2)
        attester.peer = "203.0.113.8"
        for _ in 0..<4 { #expect(try await attester.ask(sample).0.released == nil) }
        let rows = try await sample.store.launches(.init())
        #expect(rows.count == 3)
        #expect(rows.allSatisfy { $0.entry.refusedChecks == ["binding"] })
        #expect(rows.allSatisfy { $0.entry.policy == nil })
        #expect(sample.authority.statistics.now.unrecorded == 5)
        #expect(sample.authority.statistics.now.refusals[.unauthentic] == 8)
    }

    @Test("bytes that are no report are called malformed and leave no row")
    func malformed() async throws {
        var attester = try Attester()
        attester.report.set(0x000, littleEndian: UInt32(77))
        let (verdict, _) = try await attester.ask(sample)
        #expect(verdict.refusal?.0 == .malformed)
        #expect(try await sample.newest() == nil)
    }

    @Test("the challenge asks for what the broker reads, or for what there is")
    func challenge() throws {
        let attester = try Attester()
        func kinds(_ offered: Set<EvidenceKind>) throws -> Set<EvidenceKind> {
            let hello = Hello(
                purpose: .launch, vm: try #require(VMIdentifier("web-1")), keyName: .disk,
                configDigest: fixed(0), headerDigest: fixed(0), evidenceKinds: offered,
                hpkePublicKey: attester.key.publicKey)
            return sample.authority.challenge(hello, from: "203.0.113.7").1.evidenceKinds
        }
        #expect(try kinds([.snp, .tdx]) == [.snp])
        #expect(try kinds([.tdx]) == [.tdx])
    }
}
