import AdminAPI
import BrokerCore
import Bytes
import Curl
import Evidence
import OpenSSL
import Policy
import Protocol
import Store
import Testing

@testable import SimulatedPSP

@Suite("Launches of every platform")
struct PlatformLaunchTests {
    private func sample(_ launch: SimulatedLaunch, _ rules: PolicyRules) async throws -> Sample {
        try launch.intel.publish()
        return try await Sample(authenticator: launch.authenticator, rules: rules)
    }

    @Test("get their key, and the ledger has class and anchor", arguments: EvidenceKind.allCases)
    func released(kind: EvidenceKind) async throws {
        let launch = try SimulatedLaunch(kind)
        let sample = try await sample(launch, launch.rules())
        let (verdict, row) = try await launch.ask(sample)
        #expect(verdict.released != nil, "\(row?.entry.refusedChecks ?? [])")
        let expected: (LaunchClass, ConfigAnchor) =
            switch kind {
            case .snp: (.cpu, .hostData)
            case .tdx: (.cpu, .mrconfigid)
            case .svsm: (.svsmVTPM, .hostData)
            case .azureSNP, .azureTDX: (.paravisorVTPM, .measuredImage)
            }
        #expect(row?.entry.launchClass == expected.0 && row?.entry.anchor == expected.1)
    }

    @Test("get no key under a policy for another platform", arguments: EvidenceKind.allCases)
    func otherPolicies(kind: EvidenceKind) async throws {
        let launch = try SimulatedLaunch(kind)
        for other in EvidenceKind.allCases where other != kind {
            let sample = try await sample(launch, SimulatedLaunch(other).rules())
            let (verdict, row) = try await launch.ask(sample)
            #expect(verdict.refusal?.0 == .refused, "\(kind) under a policy for \(other)")
            #expect(row?.entry.launchClass != nil)
        }
    }

    private static func extend(_ domain: inout TrustDomain, _ register: Int) {
        domain.extend(
            register, with: OpenSSLHashing().sha384(TrustDomain.handOver).bytes,
            hashing: OpenSSLHashing())
    }

    @Test("of TDX are refused for each field that a rule covers")
    func tdxFields() async throws {
        let changes: [(String, @Sendable (inout SimulatedLaunch) -> Void)] = [
            ("measurement", { $0.td.domain.mrTD[0] ^= 1 }),
            ("measurement", { Self.extend(&$0.td.domain, 1) }),
            ("measurement", { Self.extend(&$0.td.domain, 2) }),
            ("hand-over", { Self.extend(&$0.td.domain, 3) }),
            ("config anchor", { $0.td.domain.mrConfigID[0] ^= 1 }),
            ("config anchor", { $0.td.domain.mrConfigID[47] = 1 }),
            ("debug", { $0.td.domain.attributes |= 1 }),
            ("migration", { $0.td.domain.attributes |= 1 << 29 }),
            ("TD attributes", { $0.td.domain.attributes ^= 1 << 28 }),
            ("XFAM", { $0.td.domain.xfam = 0xe7 }),
            ("TD owner", { $0.td.domain.mrOwner[3] ^= 1 }),
            ("TD owner config", { $0.td.domain.mrOwnerConfig[3] ^= 1 }),
            ("disk header", { $0.headerDigest = fixed(0) }),
        ]
        let whole = try SimulatedLaunch(.tdx)
        var rules = whole.rules()
        rules.tdx.attributes = [.septVEDisable: true]
        rules.tdx.xfam = 0x2e7
        rules.tdx.owners = [FixedBytes()]
        rules.tdx.ownerConfigs = [FixedBytes()]
        rules.tdx.modules = [whole.intel.machine.platform.mrSEAM(hashing: OpenSSLHashing())]
        let sample = try await sample(whole, rules)
        #expect(try await whole.ask(sample).verdict.released != nil)
        for (check, change) in changes {
            var launch = whole
            change(&launch)
            let (verdict, row) = try await launch.ask(sample)
            #expect(verdict.refusal != nil)
            #expect(row?.entry.refusedChecks == [check])
        }
        rules.tdx.modules = [fixed(1)]
        let other = try await self.sample(whole, rules)
        #expect(try await whole.ask(other).row?.entry.refusedChecks == ["TDX module"])
    }

    @Test(
        "of TDX are judged by the vendor's status, part by part",
        arguments: ["platform", "module", "enclave"])
    func statuses(part: String) async throws {
        let launch = try SimulatedLaunch(.tdx)
        var rules = launch.rules()
        func sample() async throws -> Sample {
            try launch.intel.publish { order in
                switch part {
                case "platform": order.platformStatus = "SWHardeningNeeded"
                case "module": order.moduleStatus = "OutOfDate"
                default: order.quotingEnclaveStatus = "OutOfDate"
                }
            }
            return try await Sample(authenticator: launch.authenticator, rules: rules)
        }
        #expect(try await launch.ask(sample()).row?.entry.refusedChecks == ["TCB status"])
        rules.tdx.statuses = [
            .upToDate: .always, .swHardeningNeeded: .until(SimulatedIntel.now),
            .outOfDate: .until(SimulatedIntel.now),
        ]
        #expect(try await launch.ask(sample()).verdict.released != nil)
        rules.tdx.statuses = [
            .upToDate: .always, .swHardeningNeeded: .until(SimulatedIntel.now - 1),
            .outOfDate: .until(SimulatedIntel.now - 1),
        ]
        #expect(try await launch.ask(sample()).row?.entry.refusedChecks == ["TCB status"])
    }

    @Test(
        "with a TPM are refused for other registers, none quoted, and after the hand-over",
        arguments: EvidenceKind.allCases)
    func tpmRules(kind: EvidenceKind) async throws {
        var whole = try SimulatedLaunch(kind)
        if whole.tpm == nil { whole.tpm = try SimulatedTPM() }
        var rules = whole.rules()
        if rules.tpm.references.isEmpty {
            rules.tpm.references = [
                ReferencePCRs(
                    label: "image", bank: .sha256,
                    values: [4: [UInt8](repeating: 4, count: 32)], covers: [.kernel])
            ]
        }
        let sample = try await sample(whole, rules)
        #expect(try await whole.ask(sample).verdict.released != nil)
        func refused(_ change: (inout SimulatedTPM) -> Void) async throws -> [String]? {
            var launch = whole
            if var tpm = launch.tpm { change(&tpm); launch.tpm = tpm }
            change(&launch.azure.tpm)
            return try await launch.ask(sample).row?.entry.refusedChecks
        }
        #expect(try await refused { $0.registers[0].digest[0] ^= 1 }?.contains("PCRs") == true)
        #expect(try await refused { $0.registers[2].digest[0] ^= 1 } == ["hand-over"])
        #expect(try await refused { $0.registers.removeLast() } == ["hand-over"])
        guard kind == .snp || kind == .tdx else { return }
        whole.tpm = nil
        let row = try await whole.ask(sample).row
        #expect(row?.entry.refusedChecks == ["TPM", "PCRs"] + (kind == .snp ? ["hand-over"] : []))
    }

    @Test("with a log are refused for what the log proves")
    func bootRules() async throws {
        var launch = try SimulatedLaunch(.snp)
        let boot = MeasuredBoot()
        launch.log = boot.log
        launch.tpm = try SimulatedTPM()
        launch.tpm?.registers = boot.registers
        var rules = launch.rules()
        rules.boot.secureBoot = true
        rules.boot.images = [MeasuredBoot.image]
        #expect(try await launch.ask(sample(launch, rules)).verdict.released != nil)
        rules.boot.images = [[UInt8](repeating: 1, count: 32)]
        let images = try await launch.ask(sample(launch, rules)).row?.entry.refusedChecks
        #expect(images == ["boot images"])
        rules.boot.images = []
        let off = MeasuredBoot(secureBoot: 0)
        launch.log = off.log
        launch.tpm?.registers = off.registers
        let secureBoot = try await launch.ask(sample(launch, rules)).row?.entry.refusedChecks
        #expect(secureBoot == ["Secure Boot"])
        launch.log = nil
        let none = try await launch.ask(sample(launch, rules)).row?.entry.refusedChecks
        #expect(none?.contains("Secure Boot") == true)
    }

    @Test(
        "of TDX are held while the vendor's documents are fetched, and refused where they are not")
    func held() async throws {
        let launch = try SimulatedLaunch(.tdx)
        let test = try TestDesk([.failure(.timedOut(milliseconds: 1))])
        let sample = try await Sample(
            authenticator: launch.authenticator, desk: test.desk, rules: launch.rules())
        let (verdict, row) = try await launch.ask(sample)
        #expect(verdict.held != nil)
        #expect(row?.entry.decision == .held)
        #expect(row?.entry.refusedChecks.last == "TCB status")
        var other = launch
        other.td.domain.attributes |= 1
        #expect(try await other.ask(sample).verdict.refusal != nil)
        let offline = try await Sample(
            authenticator: launch.authenticator, desk: try TestDesk([]).desk,
            rules: launch.rules())
        #expect(try await launch.ask(offline).verdict.refusal != nil)
        try launch.intel.publish()
        #expect(try await launch.ask(sample).verdict.released != nil)
    }
}
