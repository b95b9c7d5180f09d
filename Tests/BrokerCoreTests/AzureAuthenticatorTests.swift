import Authenticators
import BrokerCore
import Bytes
import Evidence
import Policy
import Protocol
import Testing

@testable import SimulatedPSP

@Suite("VMs behind Azure's paravisor in the broker")
struct AzureAuthenticatorTests {
    private static let kinds: [EvidenceKind] = [.azureSNP, .azureTDX]
    private let binding: FixedBytes<64> = fixed(0xb1)

    private func authenticate(_ vm: SimulatedAzure) throws -> Authentication {
        try vm.authenticator.authenticate(
            vm.evidence(over: binding), binding: binding, at: SimulatedIntel.now)
    }

    @Test("give claims of the paravisor and of its TPM", arguments: kinds)
    func genuine(kind: EvidenceKind) throws {
        let vm = try SimulatedAzure(kind)
        try vm.intel.publish()
        let result = try authenticate(vm)
        #expect(result.refused.isEmpty, "\(result.refused)")
        #expect(result.claims?.launchClass == .paravisorVTPM)
        #expect(result.claims?.tpm?.keyTrust == .paravisor)
        #expect(result.platform == (kind == .azureSNP ? "Azure SNP" : "Azure TDX"))
        #expect((result.claims?.snp != nil) == (kind == .azureSNP))
    }

    /// Another vmUniqueId than the one that the processor's report is over.
    @Sendable private static func otherVM(_ report: inout [UInt8]) {
        guard let range = report.firstRange(of: Array("-4000-".utf8)) else { return }
        report[range.lowerBound + 1] ^= 1
    }

    @Test("turn by each link of the chain", arguments: kinds)
    func mutations(kind: EvidenceKind) throws {
        let whole = try SimulatedAzure(kind)
        try whole.intel.publish()
        let changes: [(String, @Sendable (inout SimulatedAzure) -> Void)] = [
            ("HCL user data", { $0.userData = fixed(1) }),
            ("TPM nonce", { $0.tpm.nonce = [UInt8](repeating: 1, count: 32) }),
            ("TPM key name", { $0.tpm.name[9] ^= 1 }),
            ("TPM signature", { $0.tpm.changeQuote = { $0[$0.count - 1] ^= 1 } }),
            ("PCR digest", { $0.tpm.claimed = Array($0.tpm.registers.dropLast()) }),
            ("HCL binding", { $0.changeHCL = Self.otherVM }),
            ("HCL report", { $0.changeHCL = { $0[0] ^= 1 } }),
        ]
        for (check, change) in changes {
            var vm = whole
            change(&vm)
            let result = try authenticate(vm)
            #expect(result.refused.contains(check), "\(check): \(result.refused)")
            #expect(result.missing.isEmpty && (result.claims == nil || check == "TPM key name"))
        }
    }

    @Test("count only with the report that the paravisor keeps")
    func otherReport() throws {
        var snp = try SimulatedAzure(.azureSNP)
        snp.sentReport = try snp.amd.report(over: fixed(7))
        #expect(try authenticate(snp).refused == ["paravisor's report"])
        var tdx = try SimulatedAzure(.azureTDX)
        try tdx.intel.publish()
        let other = TDXGuest(
            SimulatedTD().domain, on: tdx.intel.machine, version: 4, generation: .v1_0,
            faults: [], localKey: secret(0x31))
        tdx.sentReport = try other.quote(binding.bytes)
        let result = try authenticate(tdx)
        #expect(result.refused.contains("TD report") && result.claims == nil)
    }

    @Test("are refused where the paravisor's report is of the other processor")
    func otherProcessor() throws {
        let snp = try SimulatedAzure(.azureSNP).evidence(over: binding)
        let vm = try SimulatedAzure(.azureTDX)
        let items = try vm.evidence(over: binding).items.map { item in
            item.content == .hclReport
                ? EvidenceItem(.hclReport, snp.data(.hclReport) ?? []) : item
        }
        let mixed = try EvidenceMessage(
            kind: .azureTDX, attestationKeyName: vm.tpm.name, items: items)
        let result = try vm.authenticator.authenticate(
            mixed, binding: binding, at: SimulatedIntel.now)
        #expect(result.refused.contains("HCL binding") && result.claims == nil)
        #expect(result.refused.contains("paravisor's report"))
    }

    @Test("have to bring every item", arguments: kinds)
    func items(kind: EvidenceKind) throws {
        let vm = try SimulatedAzure(kind)
        let evidence = try vm.evidence(over: binding)
        for content in [
            EvidenceItem.Content.tpmQuote, .tpmSignature, .tpmPublic, .pcrValues, .hclReport,
        ] {
            let bare = try EvidenceMessage(
                kind: kind, attestationKeyName: vm.tpm.name,
                items: evidence.items.filter { $0.content != content })
            #expect(throws: ParseError.self) {
                try vm.authenticator.authenticate(
                    bare, binding: binding, at: SimulatedIntel.now)
            }
        }
    }

    @Test("want Intel's documents where the folder has none")
    func supply() throws {
        let vm = try SimulatedAzure(.azureTDX)
        let result = try authenticate(vm)
        #expect(result.missing == vm.intel.documents)
        #expect(result.claims?.tdx != nil && result.claims?.tdx?.tcbStatus == nil)
    }

    @Test("show what booted by a log that leads to the quoted registers", arguments: kinds)
    func log(kind: EvidenceKind) throws {
        let boot = MeasuredBoot()
        var vm = try SimulatedAzure(kind)
        try vm.intel.publish()
        vm.log = boot.log
        vm.tpm.registers = boot.registers
        #expect(try authenticate(vm).claims?.boot?.secureBoot == true)
        vm.tpm.registers[0].digest[0] ^= 1
        #expect(try authenticate(vm).refused == ["event log"])
    }
}
