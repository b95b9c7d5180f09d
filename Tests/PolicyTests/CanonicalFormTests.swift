import Bytes
import Evidence
import Policy
import TestSupport
import Testing

@Suite("Canonical form of a policy")
struct CanonicalFormTests {
    private func canonical(_ rules: PolicyRules) throws -> [UInt8] {
        try AppraisalPolicy(validating: rules).canonicalBytes
    }

    @Test("is the documented one")
    func golden() throws {
        let vector = try GoldenVector("canonical-form-v2.txt")
        #expect(Hex.encode(try canonical(Sample.rules())) == Hex.encode(vector.bytes))
    }

    @Test("does not depend on the order of measurements")
    func order() throws {
        var rules = Sample.rules()
        rules.measurements.reverse()
        #expect(try canonical(rules) == canonical(Sample.rules()))
    }

    @Test("differs for any two policies that differ")
    func changes() throws {
        let changes: [(inout PolicyRules) -> Void] = [
            { _ in }, { $0.name = "web2" }, { $0.description = "" },
            { $0.name = "we" }, { $0.description = "bthe web servers" },
            { $0.measurements[0].label = "image" },
            { $0.measurements[0].registers = .launchDigest(fixed(1)) },
            { $0.measurements[0].covers.remove(.config) }, { $0.measurements.removeLast() },
            { $0.measurements[1].covers.insert(.config) }, { $0.measurements = [] },
            { $0.lowestClass = .hostVTPM }, { $0.lowestClass = .svsmVTPM },
            {
                $0.anchor = .measuredImage; $0.measurements.removeLast()
            },
            { $0.minimumTCB[.genoa]?[.snp] = 24 }, { $0.minimumTCB[.turin]?[.fmc] = 0 },
            { $0.minimumTCB[.turin] = nil }, { $0.minimumTCB = [:] },
            { $0.minimumTCB[.milan] = $0.minimumTCB[.genoa] }, { $0.allowsDebug = true },
            { $0.allowsMigration = true }, { $0.guestPolicy[.smt] = false },
            { $0.guestPolicy[.smt] = nil }, { $0.guestPolicy[.singleSocket] = true },
            { $0.minimumABI = nil }, { $0.minimumABI = ABIVersion(major: 31, minor: 0) },
            { $0.platform = [:] }, { $0.platform[.tsme] = true }, { $0.platform[.ecc] = true },
            { $0.vmpl = 1 }, { $0.signingKeys = [.vcek] }, { $0.signingKeys = [.vlek] },
            { $0.idKeyDigests = [] }, { $0.idKeyDigests = [fixed(2)] },
            { $0.authorKeyDigests = [] }, { $0.authorKeyDigests.insert(fixed(2)) },
            { $0.allowedChips = [] }, { $0.allowedChips.insert(fixed(2)) },
            { $0.deniedChips = [] }, { $0.deniedChips = [fixed(2)] },
            { $0.providers = [] }, { $0.providers = ["aws", "other"] }, { $0.mitigations = nil },
            { $0.mitigations = 1 }, { $0.requiresRevocationList = false },
            { $0.maximumEndorsementAge = nil }, { $0.maximumEndorsementAge = 31 },
            // The same chip in the other list.
            {
                $0.allowedChips.insert(fixed(0xdd)); $0.deniedChips = []
            },
        ]
        var seen: [[UInt8]: Int] = [:]
        for (index, change) in changes.enumerated() {
            var rules = Sample.rules()
            change(&rules)
            let earlier = seen.updateValue(index, forKey: try canonical(rules))
            #expect(earlier == nil, "change \(index) is like change \(earlier ?? 0)")
        }
    }

    @Test("of a policy with [runtime] is that of the policy without it, and the section behind it")
    func runtime() throws {
        var rules = Sample.rules()
        let without = try canonical(rules)
        var runtime = RuntimeRules()
        runtime.staleAfter = 900
        runtime.violations = .warn
        runtime.allowances = [
            .signer([0x30, 0]), .path(try #require(PathGlob("/opt/**"))), .package("curl"),
            .overlay("/var/lib/containerd"),
        ]
        rules.runtime = runtime
        let vector = try GoldenVector("canonical-form-runtime.txt")
        #expect(try Hex.encode(canonical(rules)) == Hex.encode(without + vector.bytes))
        rules.runtime?.allowances.reverse()
        #expect(try canonical(rules) == without + vector.bytes)
    }

    @Test("differs for any two sections [runtime] that differ")
    func runtimeChanges() throws {
        let changes: [(inout PolicyRules) -> Void] = [
            { $0.runtime = nil }, { _ in }, { $0.runtime?.staleAfter = 60 },
            { $0.runtime?.refusesLaunchAfterFailure = false }, { $0.runtime?.violations = .warn },
            { $0.runtime?.allowances = [.package("/opt".dropFirst().description)] },
            { $0.runtime?.allowances = [.package("curl")] },
            { $0.runtime?.allowances = [.overlay("/opt")] },
            { $0.runtime?.allowances = PathGlob("/opt").map { [.path($0)] } ?? [] },
            { $0.runtime?.allowances = [.signer([0x30])] },
            { $0.runtime?.allowances = [.signer([0x30]), .package("curl")] },
        ]
        var seen: [[UInt8]: Int] = [:]
        for (index, change) in changes.enumerated() {
            var rules = Sample.rules()
            rules.runtime = RuntimeRules()
            change(&rules)
            let earlier = seen.updateValue(index, forKey: try canonical(rules))
            #expect(earlier == nil, "change \(index) is like change \(earlier ?? 0)")
        }
    }

    @Test("gives the identity by SHA-256")
    func identity() throws {
        struct Recording: Hashing {
            func sha256(_ bytes: [UInt8]) -> FixedBytes<32> { fixed(UInt8(bytes.count % 251)) }
            func sha384(_ bytes: [UInt8]) -> FixedBytes<48> { fixed(0) }
            func sha512(_ bytes: [UInt8]) -> FixedBytes<64> { fixed(0) }
            func digest(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) -> [UInt8] { [] }
        }
        let policy = try AppraisalPolicy(validating: Sample.rules())
        #expect(
            policy.identity(hashing: Recording())
                == Recording().sha256(policy.canonicalBytes))
    }
}
