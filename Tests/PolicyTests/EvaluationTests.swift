import Bytes
import Evidence
import Policy
import TestSupport
import Testing

/// One change to a launch that every rule accepts, and the checks that must then refuse.
struct Mutation: Sendable, CustomTestStringConvertible {
    let name: String
    let refused: [Check]
    let apply: @Sendable (inout Sample) -> Void

    init(_ name: String, _ refused: Check..., apply: @escaping @Sendable (inout Sample) -> Void) {
        self.name = name
        self.refused = refused
        self.apply = apply
    }

    var testDescription: String { name }
}

@Suite("Appraisal")
struct EvaluationTests {
    @Test("leaves one finding for each check, all ok for a genuine launch")
    func genuine() throws {
        let findings = try Sample().findings()
        #expect(try findings.map(\.check) == Sample().checks().map(\.rawValue))
        #expect(findings.allSatisfy { $0.outcome == .ok })
        #expect(findings.allSatisfy { !$0.expected.isEmpty && !$0.actual.isEmpty })
        #expect(try Check.permitRelease(findings, checks: Sample().checks()))
    }

    static let mutations = [
        Mutation("disabled VM", .vmState) { $0.context.vmIsEnabled = false },
        Mutation("another config named", .configDigest) { $0.context.configDigest = fixed(1) },
        Mutation("HOST_DATA of another VM", .configAnchor) { $0.report.set(0x0c0, [0]) },
        Mutation("another config enrolled", .configDigest, .configAnchor) {
            $0.context.enrolledConfigDigest = fixed(1)
        },
        Mutation("another measurement", .measurement) { $0.report.set(0x090, [0xa2]) },
        Mutation("last byte of the measurement", .measurement) { $0.report.set(0x0bf, [0xa2]) },
        Mutation("debug", .debug) { $0.report.set(0x00a, [0x0b]) },
        Mutation("migration", .migration) { $0.report.set(0x00a, [0x07]) },
        Mutation("SMT forbidden", .guestPolicy) { $0.report.set(0x00a, [0x02]) },
        Mutation("CXL allowed", .guestPolicy) { $0.report.set(0x00a, [0x23]) },
        Mutation("older guest ABI", .guestABI) { $0.report.set(0x008, [30]) },
        Mutation("TSME on", .platform) { $0.report.set(0x040, [0x27]) },
        Mutation("no alias check", .platform) { $0.report.set(0x040, [0x05]) },
        Mutation("VMPL 1", .vmpl) { $0.report.set(0x030, [1]) },
        Mutation("unsigned", .signingKey) { $0.report.set(0x048, [0x1d]) },
        Mutation("another ID key", .idKey) { $0.report.set(0x0e0, [0]) },
        Mutation("no ID key", .idKey) {
            $0.report.set(0x0e0, Array(repeating: 0, count: 48))
        },
        Mutation("another author key", .authorKey) { $0.report.set(0x110, [0]) },
        Mutation("author key not in force", .authorKey) { $0.report.set(0x048, [0]) },
        Mutation("another chip", .chip) { $0.report.set(0x1a0, [0]) },
        Mutation("denied chip", .chip) {
            $0.report.set(0x1a0, Array(repeating: 0xdd, count: 64))
        },
        Mutation("hidden chip", .chip) {
            $0.report.set(0x048, [3])
            $0.report.set(0x1a0, Array(repeating: 0, count: 64))
        },
        Mutation("reported boot loader too old", .minimumTCB) { $0.report.set(0x180, [9]) },
        Mutation("reported SNP too old", .minimumTCB) { $0.report.set(0x186, [22]) },
        Mutation("reported microcode too old, boot loader newer", .minimumTCB) {
            $0.report.set(0x180, [255])
            $0.report.set(0x187, [83])
        },
        Mutation("launched by old SNP", .launchTCB) { $0.report.set(0x1f6, [22]) },
        Mutation("a line without a minimum", .minimumTCB, .launchTCB) { $0.product = .milan },
        Mutation("a VLEK of another provider", .provider) {
            $0.report.set(0x048, [5])
            $0.providerID = "elsewhere"
        },
        Mutation("a mitigation missing at launch", .mitigations) { $0.report.set(0x1f8, [5]) },
        Mutation("a mitigation missing now", .mitigations) { $0.report.set(0x200, [1]) },
        Mutation("no revocation list", .endorsementAge) { $0.revocationList = nil },
        Mutation("a revocation list of 31 days ago", .endorsementAge) {
            $0.revocationList = EndorsementDates(
                issued: $0.context.now - 30 * 86400 - 1, nextUpdate: $0.context.now + 1)
        },
        Mutation("a revocation list from the future", .endorsementAge) {
            $0.revocationList = EndorsementDates(
                issued: $0.context.now + 1, nextUpdate: $0.context.now + 2)
        },
        Mutation("another header", .diskHeader) { $0.context.headerDigest = fixed(0x4e) },
        Mutation("no header enrolled", .diskHeader) { $0.context.enrolledHeaderDigests = [] },
        Mutation("already unlocked", .reportID) {
            $0.context.reportIDHistory = .releasedAt($0.context.now - 1, unlocked: true)
        },
        Mutation("first release 601 s ago", .reportID) {
            $0.context.reportIDHistory = .releasedAt($0.context.now - 601, unlocked: false)
        },
        Mutation("first release in the future", .reportID) {
            $0.context.reportIDHistory = .releasedAt($0.context.now + 1, unlocked: false)
        },
        Mutation("first release beyond all clocks", .reportID) {
            $0.context.reportIDHistory = .releasedAt(.min, unlocked: false)
        },
    ]

    @Test("refuses by exactly the checks that a change concerns", arguments: mutations)
    func mutation(_ mutation: Mutation) throws {
        var sample = Sample()
        mutation.apply(&sample)
        let findings = try sample.findings()
        let refused = findings.filter { $0.outcome == .refused }
        #expect(refused.map(\.check) == mutation.refused.map(\.rawValue))
        #expect(refused.allSatisfy { $0.expected != $0.actual })
        #expect(findings.filter { $0.outcome == .notChecked }.isEmpty)
        #expect(try !Check.permitRelease(findings, checks: Sample().checks()))
    }

    @Test("has a mutation for every check but identity")
    func coverage() throws {
        let covered = Set(Self.mutations.flatMap(\.refused))
        // A launch class below `cpu` and an unknown VM cannot come from an SNP report of a known VM.
        #expect(Set(try Sample().checks()).subtracting(covered) == [.identity, .launchClass])
    }

    @Test(
        "accepts again for the same REPORT_ID within ten minutes",
        arguments: [0, 1, 600] as [Int64])
    func releaseWindow(age: Int64) throws {
        var sample = Sample()
        sample.context.reportIDHistory = .releasedAt(sample.context.now - age, unlocked: false)
        #expect(try sample.checks(.refused).isEmpty)
    }

    @Test("accepts newer firmware, part by part")
    func newerFirmware() throws {
        var sample = Sample()
        sample.report.set(0x180, [11, 1, 0, 0, 0, 0, 24, 85])
        #expect(try sample.checks(.refused).isEmpty)
    }

    @Test("reads Turin's TCB in Turin's layout")
    func turin() throws {
        var sample = Sample()
        sample.product = .turin
        for offset in [0x180, 0x1f0] {
            sample.report.set(offset, [1, 1, 1, 4, 0, 0, 0, 81])
        }
        #expect(try sample.checks(.refused).isEmpty)
        sample.report.set(0x180, [0])
        #expect(try sample.checks(.refused) == ["minimum TCB"])
    }

    @Test("allows debug and migration only where the policy says so")
    func allowances() throws {
        var sample = Sample()
        sample.report.set(0x00a, [0x0f])
        #expect(try sample.checks(.refused) == ["debug", "migration"])
        sample.rules.allowsDebug = true
        #expect(try sample.checks(.refused) == ["migration"])
        sample.rules.allowsMigration = true
        #expect(try sample.checks(.refused).isEmpty)
    }

    @Test("with a measured config asks whether the measurement covers it")
    func measuredImage() throws {
        var sample = Sample()
        sample.rules.anchor = .measuredImage
        sample.rules.measurements.removeLast()
        sample.report.set(0x0c0, Array(repeating: 0, count: 32))
        #expect(try sample.checks(.refused).isEmpty)
        sample.report.set(0x090, [0])
        #expect(try sample.checks(.refused) == ["config anchor", "measurement"])
    }

    @Test("never shows a requirement that is not set as passed")
    func unset() throws {
        var sample = Sample()
        sample.rules.guestPolicy = [:]
        sample.rules.minimumABI = nil
        sample.rules.platform = [:]
        sample.rules.idKeyDigests = []
        sample.rules.authorKeyDigests = []
        sample.rules.allowedChips = []
        sample.rules.deniedChips = []
        sample.rules.providers = []
        sample.rules.mitigations = nil
        sample.rules.requiresRevocationList = false
        sample.rules.maximumEndorsementAge = nil
        let optional = try sample.checks().filter(\.isOptional).map(\.rawValue)
        #expect(try sample.checks(.notChecked) == optional)
        let notes = try sample.findings().filter { $0.outcome == .notChecked }.map(\.note)
        #expect(notes.allSatisfy { $0 == "the policy sets none" })
        #expect(try Check.permitRelease(sample.findings(), checks: sample.checks()))
    }

    @Test("by an empty policy refuses")
    func emptyPolicy() throws {
        var sample = Sample()
        sample.rules = PolicyRules(name: "empty")
        #expect(try sample.checks(.refused) == ["minimum TCB", "launch TCB", "measurement"])
        #expect(try !Check.permitRelease(sample.findings(), checks: sample.checks()))
    }

    @Test("of an unknown VM refuses its identity and checks nothing")
    func unknownVM() throws {
        let findings = AppraisalPolicy.findings(forUnknownVM: "web-9")
        // Only a policy can ask for the state of the running VM.
        let all = Check.allCases.filter { $0 != .runtimeState }
        #expect(findings.map(\.check) == all.map(\.rawValue))
        #expect(findings.filter { $0.outcome == .refused }.map(\.check) == ["identity"])
        #expect(findings.filter { $0.outcome == .notChecked }.count == findings.count - 1)
        #expect(try !Check.permitRelease(findings, checks: Sample().checks()))
    }
}

@Suite("The sum of findings")
struct PermitReleaseTests {
    @Test("is no without every check", arguments: try Sample().checks())
    func missing(check: Check) throws {
        let findings = try Sample().findings().filter { $0.check != check.rawValue }
        #expect(try !Check.permitRelease(findings, checks: Sample().checks()))
        #expect(try !Check.permitRelease([], checks: Sample().checks()))
    }

    @Test("is no where a required check was not made", arguments: try Sample().checks())
    func notChecked(check: Check) throws {
        let findings = try Sample().findings().map { finding in
            finding.check == check.rawValue
                ? Finding(check: finding.check, outcome: .notChecked, expected: "-", actual: "-")
                : finding
        }
        #expect(try Check.permitRelease(findings, checks: Sample().checks()) == check.isOptional)
    }

    @Test("is no with a refusal of a check that is not a policy's")
    func foreignRefusal() throws {
        let findings = try Sample().findings()
        let signature = Finding(
            check: "signature", outcome: .refused, expected: "a good one", actual: "a bad one")
        #expect(try !Check.permitRelease(findings + [signature], checks: Sample().checks()))
        #expect(try !Check.permitRelease(findings + [findings[0]], checks: Sample().checks()))
    }
}
