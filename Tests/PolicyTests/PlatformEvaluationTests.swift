import Bytes
import Evidence
import OpenSSL
@_spi(Verified) import Policy
import TestSupport
import Testing

@Suite("Appraisal of a TD with a TPM and a log")
struct PlatformEvaluationTests {
    struct Change: Sendable, CustomTestStringConvertible {
        let name: String
        let refused: [Check]
        let apply: @Sendable (inout PlatformSample) -> Void

        init(
            _ name: String, _ refused: Check...,
            apply: @escaping @Sendable (inout PlatformSample) -> Void
        ) {
            self.name = name
            self.refused = refused
            self.apply = apply
        }

        var testDescription: String { name }
    }

    @Test("accepts a genuine launch, each check made")
    func genuine() throws {
        let sample = PlatformSample()
        let findings = try sample.findings()
        let checks = try sample.policy().checks(for: sample.claims())
        #expect(findings.map(\.check) == checks.map(\.rawValue))
        #expect(
            findings.allSatisfy { $0.outcome == .ok }, "\(findings.filter { $0.outcome != .ok })")
        #expect(Check.permitRelease(findings, checks: checks))
        #expect(!checks.contains(.reportID) && checks.contains(.handOver))
    }

    static let changes = [
        Change("a debuggable TD", .debug) { $0.quote.set(.tdAttributes, [1]) },
        Change("a TD under a profiler", .debug) { $0.quote.set(.tdAttributes, [0x10]) },
        Change("a migratable TD", .migration) { $0.quote.set(.tdAttributes, [0, 0, 0, 0x30]) },
        Change("a service TD", .migration) { $0.quote.body[0x258] = 1 },
        Change("pages that may vanish", .tdAttributes) {
            $0.quote.set(.tdAttributes, [0, 0, 0, 0])
        },
        Change("performance counters", .tdAttributes) {
            $0.quote.set(.tdAttributes, [0, 0, 0, 0x10, 0, 0, 0, 0x80])
        },
        Change("other features", .xfam) { $0.quote.set(.xfam, [0xe6]) },
        Change("another TDX module", .tdxModule) { $0.quote.set(.mrSEAM, [0]) },
        Change("an owner", .tdOwner) { $0.quote.body[0xe8] = 1 },
        Change("an owner's config", .tdOwnerConfig) { $0.quote.body[0x118] = 1 },
        Change("another MRTD", .measurement) { $0.quote.set(.mrTD, [0]) },
        Change("another MRCONFIGID", .configAnchor) { $0.quote.set(.mrConfigID, [0]) },
        Change("something behind the digest in MRCONFIGID", .configAnchor) {
            $0.quote.body[0xb8 + 47] = 1
        },
        Change("an old platform", .tcbStatus) { $0.status = .outOfDate },
        Change("no TCB info", .tcbStatus) { $0.status = nil },
        Change("a status whose time is over", .tcbStatus) { $0.context.now = 1_800_000_001 },
        Change("no collateral", .endorsementAge) { $0.collateral = nil },
        Change("RTMR3 extended", .handOver) { $0.quote.set(.rtmr3, [1]) },
        Change("PCR 15 extended", .handOver) { $0.pcrs[15] = [UInt8](repeating: 1, count: 32) },
        Change("PCR 15 not quoted", .handOver) { $0.pcrs[15] = nil },
        Change("no quote", .tpmQuote, .pcrs) {
            $0.keyTrust = nil
            $0.pcrs = [:]
        },
        Change("a key that nobody vouches for", .tpmQuote) { $0.keyTrust = .nothing },
        Change("another kernel's PCR 4", .pcrs) { $0.pcrs[4] = [UInt8](repeating: 5, count: 32) },
        Change("another image's PCR 11", .pcrs) { $0.pcrs[11] = nil },
        Change("a SHA-1 bank", .pcrBank, .pcrs) { $0.bank = .sha1 },
        Change(
            "no log", .bootEvents, .secureBoot, .bootAuthorities, .bootImages, .bootDrivers,
            .commandLine
        ) {
            $0.hasLog = false
        },
        Change("Secure Boot off", .secureBoot, .bootAuthorities) { $0.secureBoot = 0 },
        Change("another image", .bootImages) { $0.image = [0xa2] },
        Change("another driver", .bootDrivers) { $0.driver = [0xd2] },
        Change("another command line", .commandLine) { $0.commandLine = "quiet init=/bin/sh" },
        Change("an event of no known type", .bootEvents) { $0.garbage = [1] },
        Change("an image of which the log says that it is a driver", .bootImages, .bootDrivers) {
            $0.extra = [.init(register: 4, type: 0x8000_0004, data: [1], hashed: [0xba])]
        },
        Change("a driver of which the log says that it is an image", .bootImages, .bootDrivers) {
            $0.extra = [.init(register: 2, type: 0x8000_0003, data: [1], hashed: [0xba])]
        },
        Change("a command line of which only the digest is proven", .commandLine) {
            $0.extra = [.init(register: 12, type: 0x0d, data: [1], hashed: [0xba])]
        },
        Change("a command line as a tagged event", .commandLine) {
            $0.extra = [
                .init(register: 12, type: 6, data: EventLogBuilder.utf16("init=/bin/sh\0"))
            ]
        },
        Change("no command line's register quoted", .commandLine) { $0.unquoted = [12] },
        Change("no drivers' register quoted", .bootEvents, .bootDrivers) { $0.unquoted = [2] },
        Change("chips that a TD cannot name", .chip) { $0.rules.allowedChips = [fixed(1)] },
        Change("other authorities", .bootAuthorities) { $0.rules.boot.authorities = [fixed(1)] },
        Change("a class above the TPM's", .launchClass) { $0.rules.lowestClass = .paravisorVTPM },
    ]

    @Test("refuses by exactly the checks that a change concerns", arguments: changes)
    func change(_ change: Change) throws {
        var sample = PlatformSample()
        change.apply(&sample)
        let findings = try sample.findings()
        let refused = findings.filter { $0.outcome == .refused }.map(\.check)
        #expect(refused == change.refused.map(\.rawValue))
        #expect(
            try !Check.permitRelease(findings, checks: sample.policy().checks(for: sample.claims()))
        )
    }

    @Test("has a change for every check of TDX, TPM and log")
    func coverage() {
        let covered = Set(Self.changes.flatMap(\.refused))
        let own: Set<Check> = [
            .tcbStatus, .tdAttributes, .xfam, .tdxModule, .tdOwner, .tdOwnerConfig, .tpmQuote,
            .pcrBank, .pcrs, .bootEvents, .secureBoot, .bootAuthorities, .bootImages, .bootDrivers,
            .commandLine, .handOver, .launchClass,
        ]
        #expect(own.isSubset(of: covered))
    }

    @Test(
        "takes the class of what covers the kernel",
        arguments: [
            (AttestationKeyTrust.teeReport, "host-vtpm"), (.svsmManifest, "svsm-vtpm"),
            (.paravisor, "paravisor-vtpm"), (.ekCertificate, "host-vtpm"),
            (.vendorCertificate, "host-vtpm"),
        ])
    func launchClass(trust: AttestationKeyTrust, name: String) throws {
        var sample = PlatformSample()
        sample.keyTrust = trust
        let finding = try sample.findings().first { $0.check == "launch class" }
        #expect(finding?.actual == name)
    }

    @Test("wants PCR 15 zero in every quote, whether or not the policy asks for one")
    func handOverWithoutRule() throws {
        var sample = PlatformSample()
        sample.rules.tpm.references = []
        sample.rules.measurements[0].registers = .td(
            mrTD: fixed(0x7d), rtmr: [1: FixedBytes(), 2: FixedBytes()])
        sample.rules.measurements[0].covers = [.firmware, .kernel, .initramfs, .commandLine]
        #expect(try sample.findings().filter { $0.outcome == .refused } == [])
        sample.pcrs[15] = [UInt8](repeating: 1, count: 32)
        let refused = try sample.findings().filter { $0.outcome == .refused }
        #expect(refused.map(\.check) == ["hand-over"])
    }

    @Test("judges evidence by itself without the rules about a launch, and nothing else is let off")
    func evidenceByItself() throws {
        var sample = PlatformSample()
        sample.pcrs[15] = [UInt8](repeating: 1, count: 32)
        let policy = try sample.policy()
        let claims = try sample.claims()
        let findings = policy.evaluate(claims, at: sample.context.now)
        let open = findings.filter { $0.outcome == .notChecked }.map(\.check)
        #expect(
            Set(open)
                == Set(
                    [
                        Check.identity, .vmState, .configDigest, .configAnchor, .diskHeader,
                        .handOver,
                    ]
                    .map(\.rawValue)))
        let checks = policy.checks(for: claims)
        #expect(Check.permitAppraisal(findings, checks: checks))
        #expect(!Check.permitRelease(findings, checks: checks))
        let forgotten = findings.filter { $0.check != Check.tcbStatus.rawValue }
        #expect(!Check.permitAppraisal(forgotten, checks: checks))
        #expect(!Check.permitAppraisal([], checks: []))
    }

    @Test("judges a TPM and a log without a processor by their own rules only")
    func withoutProcessor() throws {
        var sample = PlatformSample()
        let claims = try sample.claims()
        let good = try sample.policy().evaluate(tpm: claims.tpm, boot: claims.boot)
        #expect(!good.contains { $0.outcome == .refused })
        #expect(good.contains { $0.check == "PCRs" && $0.outcome == .ok })
        #expect(good.contains { $0.check == "launch class" && $0.outcome == .notChecked })
        sample.pcrs[4] = [UInt8](repeating: 5, count: 32)
        let other = try sample.claims()
        let bad = try sample.policy().evaluate(tpm: other.tpm, boot: other.boot)
        #expect(bad.filter { $0.outcome == .refused }.map(\.check) == ["PCRs"])
        // A rule about logs is not let off because none came.
        let unlogged = try sample.policy().evaluate(tpm: claims.tpm, boot: nil)
        #expect(unlogged.contains { $0.check == "Secure Boot" && $0.outcome == .refused })
    }

    @Test("refuses registers that only SHA-1 vouches for, beside others")
    func mixedBanks() throws {
        let sample = PlatformSample()
        var values = PCRValues()
        try values.insert([UInt8](repeating: 0, count: 32), at: 15, in: .sha256)
        try values.insert([UInt8](repeating: 4, count: 20), at: 4, in: .sha1)
        var attestation = TPMQuoteBuilder()
        attestation.selections = [(0x0b, [0, 0x80, 0]), (0x04, [0x10, 0, 0])]
        let claims = Claims(
            hardware: try sample.claims().hardware,
            tpm: TPMClaims(
                authenticated: try TPMAttestation(parsing: attestation.bytes), pcrs: values,
                keyTrust: .teeReport))
        let finding = try sample.policy().evaluate(claims, in: sample.context)
            .first { $0.check == "PCR bank" }
        #expect(finding?.outcome == .refused)
    }

    @Test("says of a log of thousands of lines what fits into a ledger")
    func longLog() throws {
        var sample = PlatformSample()
        sample.commandLine = String(repeating: "x", count: 100_000)
        sample.extra = (0..<2000).flatMap { number in
            let text = EventLogBuilder.utf16("line \(number)\0")
            return [
                PlatformSample.Extra(register: 12, type: 0x0d, data: text),
                .init(register: 4, type: 0x8000_0003, data: [1], hashed: Array("\(number)".utf8)),
            ]
        }
        let findings = try sample.findings()
        #expect(findings.allSatisfy { $0.actual.utf8.count < 8192 })
        #expect(findings.contains { $0.actual.hasSuffix("1993 more") })
    }

    @Test("refuses rules that cover something although anything may stand in the log")
    func unexplainedCoverage() throws {
        var rules = PlatformSample.rules()
        rules.boot.covers = [.kernel]
        _ = try AppraisalPolicy(validating: rules)
        rules.boot.allowsUnexplained = true
        #expect(throws: PolicyError.self) { try AppraisalPolicy(validating: rules) }
    }

    @Test("compares command lines byte by byte")
    func commandLineBytes() throws {
        var sample = PlatformSample()
        sample.rules.boot.commandLines = ["a;b"]
        // GREEK QUESTION MARK, which Unicode calls equal to a semicolon.
        sample.commandLine = "a\u{37e}b"
        let finding = try sample.findings().first { $0.check == "kernel command line" }
        #expect(finding?.outcome == .refused)
    }

    @Test("gives the class cpu where the processor's registers cover all")
    func processorOnly() throws {
        var sample = PlatformSample()
        sample.rules.measurements[0].registers = .td(
            mrTD: fixed(0x7d), rtmr: [1: FixedBytes(), 2: FixedBytes()])
        sample.rules.measurements[0].covers = [.firmware, .kernel, .initramfs, .commandLine]
        let finding = try sample.findings().first { $0.check == "launch class" }
        #expect(finding?.actual == "cpu")
    }

    @Test("takes load options by their digest where the log has no more")
    func loadOptions() throws {
        var sample = PlatformSample()
        sample.loadOptions = Array("quiet".utf8)
        func line() throws -> Finding? {
            try sample.findings().first { $0.check == "kernel command line" }
        }
        let refused = try line()
        #expect(refused?.outcome == .refused)
        let shown = "sha256:" + PlatformSample.hashing.sha256(Array("quiet".utf8)).hex
        #expect(refused?.actual.contains(shown) == true)
        sample.rules.boot.commandLines?.insert(shown)
        #expect(try line()?.outcome == .ok)
        sample.loadOptions = Array("quiet init=/bin/sh".utf8)
        #expect(try line()?.outcome == .refused)
    }

    @Test("by itself checks no launch")
    func alone() throws {
        let sample = PlatformSample()
        let findings = try sample.policy().evaluate(sample.claims(), at: sample.context.now)
        let notMade = findings.filter { $0.outcome == .notChecked }.map(\.check)
        #expect(
            notMade == [
                "identity", "VM state", "config digest", "config anchor", "disk header",
                "hand-over",
            ])
        #expect(findings.allSatisfy { $0.outcome != .refused })
    }

    @Test("refuses a measurement that covers no kernel, and registers that do not either")
    func coverageAtLoad() {
        var rules = PlatformSample.rules()
        rules.tpm.references[0].covers = [.kernel]
        #expect(throws: PolicyError.self) { try AppraisalPolicy(validating: rules) }
        rules = PlatformSample.rules()
        rules.tpm.references = []
        #expect(throws: PolicyError.self) { try AppraisalPolicy(validating: rules) }
        rules.boot.covers = [.kernel, .initramfs, .commandLine]
        #expect(throws: Never.self) { try AppraisalPolicy(validating: rules) }
        rules.boot.images = []
        rules.boot.authorities = []
        #expect(throws: PolicyError.self) { try AppraisalPolicy(validating: rules) }
        rules = PlatformSample.rules()
        rules.measurements[0].covers = Set(Coverage.allCases)
        #expect(throws: PolicyError.self) { try AppraisalPolicy(validating: rules) }
    }

    @Test("loses a policy's identity with any changed rule")
    func identity() throws {
        let changes: [(inout PolicyRules) -> Void] = [
            { _ in }, { $0.tdx.statuses = [:] }, { $0.tdx.statuses[.outOfDate] = .always },
            { $0.tdx.statuses[.swHardeningNeeded] = .always }, { $0.tdx.attributes = [:] },
            { $0.tdx.attributes[.perfmon] = true }, { $0.tdx.xfam = nil }, { $0.tdx.xfam = 1 },
            { $0.tdx.modules = [] }, { $0.tdx.owners = [fixed(1)] }, { $0.tdx.ownerConfigs = [] },
            { $0.tpm.isRequired = true }, { $0.tpm.keyTrusts.insert(.nothing) },
            { $0.tpm.allowsSHA1 = true }, { $0.tpm.references[0].label = "x" },
            { $0.tpm.references[0].values[4]?[0] = 9 }, { $0.tpm.references[0].values[11] = nil },
            { $0.tpm.references[0].covers.insert(.config) }, { $0.boot.isRequired = true },
            { $0.boot.secureBoot = nil }, { $0.boot.secureBoot = false },
            { $0.boot.authorities = [fixed(3)] }, { $0.boot.images = [] },
            { $0.boot.drivers = nil },
            { $0.boot.drivers = [] }, { $0.boot.commandLines = nil }, { $0.boot.commandLines = [] },
            { $0.boot.allowsUnexplained = true }, { $0.boot.covers = [.kernel] },
            { $0.measurements[0].registers = .td(mrTD: fixed(1), rtmr: [:]) },
            { $0.measurements[0].registers = .td(mrTD: fixed(0x7d), rtmr: [0: fixed(1)]) },
        ]
        var seen: [[UInt8]: Int] = [:]
        for (index, change) in changes.enumerated() {
            var rules = PlatformSample.rules()
            change(&rules)
            let form = try AppraisalPolicy(validating: rules).canonicalBytes
            let earlier = seen.updateValue(index, forKey: form)
            #expect(earlier == nil, "change \(index) is like change \(earlier ?? 0)")
        }
    }
}
