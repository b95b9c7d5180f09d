import Authenticators
import BrokerCore
import Bytes
import Evidence
import Policy
import Protocol
import TestSupport
import Testing

@testable import SimulatedPSP

@Suite("SNP reports from below an SVSM")
struct SVSMAuthenticatorTests {
    private let amd: SimulatedAMD
    private let binding: FixedBytes<64> = fixed(0xb1)

    init() throws {
        amd = try SimulatedAMD()
    }

    private func authenticate(
        _ amd: SimulatedAMD, manifest: [UInt8], vouched: [UInt8]? = nil, tpm: SimulatedTPM?
    ) throws -> Authentication {
        try SVSMAuthenticator(amd.authenticator).authenticate(
            amd.evidence(over: binding, manifest: manifest, vouched: vouched, tpm: tpm),
            binding: binding, at: SimulatedAMD.now)
    }

    @Test("vouch for the key that their manifest names")
    func genuine() throws {
        let tpm = try SimulatedTPM()
        let result = try authenticate(amd, manifest: tpm.publicArea.bytes, tpm: tpm)
        #expect(result.refused.isEmpty, "\(result.refused)")
        #expect(result.claims?.tpm?.keyTrust == .svsmManifest)
        #expect(result.claims?.launchClass == .svsmVTPM)
        #expect(result.platform == "SNP Genoa below an SVSM")
        let bare = try authenticate(amd, manifest: [1], tpm: nil)
        #expect(bare.refused.isEmpty && bare.claims?.tpm == nil)
    }

    @Test("vouch for nothing else")
    func mutations() throws {
        let tpm = try SimulatedTPM()
        let manifest = tpm.publicArea.bytes
        var other = try SimulatedTPM(SimulatedTPM.otherKey)
        #expect(
            try authenticate(amd, manifest: manifest, tpm: other).refused == ["TPM key trust"])
        other.name = tpm.name
        #expect(
            try authenticate(amd, manifest: manifest, tpm: other).refused.contains("TPM key name"))
        let swapped = try authenticate(
            amd, manifest: other.publicArea.bytes, vouched: manifest, tpm: other)
        #expect(swapped.refused.contains("binding") && swapped.claims == nil)
        #expect(swapped.missing.isEmpty)
        var guest = amd
        guest.vmpl = 2
        let below = try authenticate(guest, manifest: manifest, tpm: tpm)
        #expect(below.refused == ["TPM key trust"] && below.claims?.tpm == nil)
        for bytes in [manifest + [0], [1]] {
            #expect(
                try authenticate(amd, manifest: bytes, tpm: tpm).refused == ["TPM key trust"])
        }
    }

    @Test("need a manifest, and do not count as plain reports")
    func kinds() throws {
        let tpm = try SimulatedTPM()
        let evidence = try amd.evidence(
            over: binding, manifest: tpm.publicArea.bytes, tpm: tpm)
        let bare = try EvidenceMessage(
            kind: .svsm, attestationKeyName: evidence.attestationKeyName,
            items: evidence.items.filter { $0.content != .manifest })
        #expect(throws: ParseError.self) {
            try SVSMAuthenticator(amd.authenticator).authenticate(
                bare, binding: binding, at: SimulatedAMD.now)
        }
        let plain = try EvidenceMessage(
            kind: .snp, attestationKeyName: evidence.attestationKeyName, items: evidence.items)
        let result = try amd.authenticator.authenticate(
            plain, binding: binding, at: SimulatedAMD.now)
        #expect(result.refused.contains("binding") && result.claims == nil)
    }
}
