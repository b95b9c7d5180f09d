import AdminAPI
import Authenticators
import BrokerCore
import Bytes
import Evidence
import OpenSSL
import Policy
import Protocol
import Store
import TestSupport

@testable import SimulatedPSP

/// One genuine launch of each kind, to be changed in one thing.
struct SimulatedLaunch: Sendable {
    let kind: EvidenceKind
    let amd: SimulatedAMD
    let intel: SimulatedIntel
    var td = SimulatedTD()
    var guest: SimulatedAMD
    var azure: SimulatedAzure
    var tpm: SimulatedTPM?
    var log: [UInt8]?
    var headerDigest: FixedBytes<32> = fixed(0x4d)
    var configDigest = SimulatedIntel.configDigest

    init(_ kind: EvidenceKind) throws {
        self.kind = kind
        azure = try SimulatedAzure(kind)
        amd = azure.amd
        intel = azure.intel
        guest = azure.amd
        if kind == .svsm { tpm = try SimulatedTPM() }
    }

    func evidence(over binding: FixedBytes<64>) throws -> EvidenceMessage {
        switch kind {
        case .snp: return try guest.evidence(over: binding, tpm: tpm, log: log)
        case .tdx:
            var domain = td
            domain.tpm = tpm
            domain.log = log
            return try domain.evidence(intel, over: binding)
        case .svsm:
            return try guest.evidence(
                over: binding, manifest: tpm?.publicArea.bytes ?? [1], tpm: tpm)
        case .azureSNP, .azureTDX:
            var vm = azure
            vm.log = log
            return try vm.evidence(over: binding)
        }
    }

    /// Everything that a broker reads.
    var authenticator: PlatformAuthenticator {
        PlatformAuthenticator([
            amd.authenticator, intel.authenticator, SVSMAuthenticator(amd.authenticator),
            azure.authenticator,
        ])
    }

    /// Rules that it satisfies.
    func rules() -> PolicyRules {
        switch kind {
        case .snp: return SimulatedAMD.rules
        case .tdx: return SimulatedTD.rules
        case .azureSNP, .azureTDX: return azure.rules()
        case .svsm:
            var rules = SimulatedAMD.rules
            rules.lowestClass = .svsmVTPM
            rules.measurements[0].covers = [.firmware]
            rules.tpm.references = [
                ReferencePCRs(
                    label: "image", bank: .sha256,
                    values: [4: [UInt8](repeating: 4, count: 32)],
                    covers: [.kernel, .initramfs, .commandLine])
            ]
            return rules
        }
    }

    /// Asks a broker of these rules, and gives its answer with the ledger's row.
    func ask(_ sample: Sample) async throws -> (verdict: Verdict, row: LedgerRow?) {
        let key = try HPKEPrivateKey(scalar: secret(0x51))
        let hello = Hello(
            purpose: .launch, vm: VMIdentifier("web-1") ?? sample.fallback, keyName: .disk,
            configDigest: configDigest, headerDigest: headerDigest, evidenceKinds: [kind],
            hpkePublicKey: key.publicKey)
        let (launch, _) = sample.authority.challenge(hello, from: "203.0.113.7")
        let binding: FixedBytes<64> = fixed(0xb1)
        let evidence = try evidence(over: binding)
        let verdict = await withCheckedContinuation { continuation in
            sample.authority.appraise(
                evidence, of: launch, binding: binding, executor: { $0() },
                done: { continuation.resume(returning: $0) })
        }
        return (verdict, try await sample.newest())
    }
}

extension Sample {
    var fallback: VMIdentifier {
        guard let name = VMIdentifier("unknown") else { preconditionFailure("a constant name") }
        return name
    }
}
