import Authenticators
import BrokerCore
import Bytes
import Evidence
import OpenSSL
import Policy
import Protocol
import Verification

@testable import SimulatedPSP

/// A VM behind Azure's paravisor, on SNP or TDX, which tests take apart.
struct SimulatedAzure {
    let kind: EvidenceKind
    let amd: SimulatedAMD
    let intel: SimulatedIntel
    var tpm: SimulatedTPM
    /// NV index 0x01400002; nil for the binding.
    var userData: FixedBytes<64>?
    /// The key in the runtime data.
    var vouchedKey = SimulatedTPM.rsaKey
    /// Changes the paravisor's report once it is whole.
    var changeHCL: @Sendable (inout [UInt8]) -> Void = { _ in }
    /// What is sent as `report`; nil for the one that the paravisor keeps, or its quote.
    var sentReport: [UInt8]?
    var log: [UInt8]?

    init(_ kind: EvidenceKind) throws {
        self.kind = kind
        amd = try SimulatedAMD()
        intel = try SimulatedIntel()
        tpm = try SimulatedTPM(SimulatedTPM.rsaKey)
    }

    func evidence(over binding: FixedBytes<64>) throws -> EvidenceMessage {
        let key = try vouchedKey.key.publicKey
        let text = HCLRuntimeText(
            attestationKey: key, endorsementKey: key, userData: userData ?? binding)
        let writer = HCLReportWriter(version: 2, variableData: try text.json())
        let reportData = FixedBytes<64>(writer.reportData) ?? FixedBytes()
        var items: [EvidenceItem]
        var hcl: [UInt8]
        if kind == .azureSNP {
            items = try amd.items(over: reportData)
            hcl = writer.report(hardware: items[0].data, isTDX: false)
        } else {
            let guest = TDXGuest(
                SimulatedTD().domain, on: intel.machine, version: 4, generation: .v1_0,
                faults: [], localKey: secret(0x31))
            items = [EvidenceItem(.report, try guest.quote(reportData.bytes))]
            hcl = writer.report(hardware: guest.localReport(reportData.bytes), isTDX: true)
        }
        changeHCL(&hcl)
        if let sentReport { items[0] = EvidenceItem(.report, sentReport) }
        if let log { items.append(EvidenceItem(.eventLog, log)) }
        items += try tpm.items(over: binding)
        items.append(EvidenceItem(.hclReport, hcl))
        return try EvidenceMessage(kind: kind, attestationKeyName: tpm.name, items: items)
    }

    var authenticator: AzureAuthenticator {
        AzureAuthenticator(
            verifier: AzureVerifier(snp: amd.verifier, tdx: intel.verifier),
            snp: amd.authenticator, tdx: intel.authenticator)
    }

    /// Rules that such a VM satisfies.
    func rules() -> PolicyRules {
        var rules = kind == .azureSNP ? SimulatedAMD.rules : SimulatedTD.rules
        rules.lowestClass = .paravisorVTPM
        rules.anchor = .measuredImage
        rules.measurements[0].covers = [.firmware]
        rules.tpm.keyTrusts = [.paravisor]
        rules.tpm.references = [
            ReferencePCRs(
                label: "image", bank: .sha256,
                values: [4: tpm.registers[0].digest, 7: tpm.registers[1].digest],
                covers: [.kernel, .initramfs, .commandLine, .config])
        ]
        return rules
    }
}
