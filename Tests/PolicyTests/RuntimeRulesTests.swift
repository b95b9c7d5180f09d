import Bytes
import Evidence
import Policy
import Testing

@Suite("Rules for the running VM")
struct RuntimeRulesTests {
    private func error(_ change: (inout RuntimeRules) -> Void) -> PolicyError? {
        var rules = Sample.rules()
        var runtime = RuntimeRules()
        change(&runtime)
        rules.runtime = runtime
        do {
            _ = try AppraisalPolicy(validating: rules)
            return nil
        } catch {
            return error
        }
    }

    @Test("are the strict ones unless written otherwise")
    func defaults() {
        let rules = RuntimeRules()
        #expect(rules.staleAfter == 3600 && rules.refusesLaunchAfterFailure)
        #expect(rules.violations == .fail && rules.allowances.isEmpty)
        #expect(error { _ in } == nil)
    }

    @Test("allow no report to be fresh for less than a minute or more than 30 days")
    func stale() {
        #expect(error { $0.staleAfter = 60 } == nil)
        #expect(error { $0.staleAfter = 30 * 86400 } == nil)
        #expect(error { $0.staleAfter = 59 }?.path == "runtime.stale_after")
        #expect(error { $0.staleAfter = 30 * 86400 + 1 }?.path == "runtime.stale_after")
    }

    @Test("let nothing in twice, nothing without bounds and nothing without a name")
    func allowances() {
        let wrong: [(RuntimeRules.Allowance, String)] = [
            (.package(""), "package"), (.package("a b"), "package"), (.package("a/b"), "package"),
            (.package(String(repeating: "a", count: 129)), "package"), (.signer([]), "signer"),
            (.signer([UInt8](repeating: 0, count: 16385)), "signer"), (.overlay("/"), "overlay"),
            (.overlay(""), "overlay"), (.overlay("/a/"), "overlay"), (.overlay("/a/*"), "overlay"),
            (.overlay("a"), "overlay"), (.overlay("/a/../b"), "overlay"),
        ]
        for (allowance, key) in wrong {
            #expect(
                error { $0.allowances = [.package("x"), allowance] }?.path
                    == "runtime.allow[1].\(key)", "\(allowance)")
        }
        #expect(
            error { $0.allowances = [.package("x"), .package("x")] }?.path == "runtime.allow[1]")
        #expect(
            error { $0.allowances = (0..<257).map { .package("p\($0)") } }?.path == "runtime.allow")
        #expect(error { $0.allowances = [.overlay("/var/lib/x"), .package("g++")] } == nil)
    }

    static let globs: [(String, matches: [String], others: [String])] = [
        ("/opt/app", ["/opt/app"], ["/opt/app2", "/opt/ap", "/opt/app/x", "x/opt/app"]),
        ("/opt/*", ["/opt/a", "/opt/", "/opt/a.b"], ["/opt/a/b", "/opt", "/other/opt/a"]),
        ("/opt/**", ["/opt/a", "/opt/a/b", "/opt/"], ["/opt", "/optional"]),
        ("/opt/*/bin/**", ["/opt/a/bin/b", "/opt/a/bin/b/c"], ["/opt/a/b/bin/c", "/opt/bin/b"]),
        ("/opt/**/bin", ["/opt/a/bin", "/opt/a/b/bin"], ["/opt/bin", "/opt/a/bin2"]),
        ("/a.b/c+(d)[e]?|^$", ["/a.b/c+(d)[e]?|^$"], ["/axb/c+(d)[e]?|^$", "/a.b/cc", "/a.b/c"]),
    ]

    @Test("match paths whole, * within a component and ** across", arguments: globs)
    func glob(pattern: String, matches: [String], others: [String]) throws {
        let glob = try #require(PathGlob(pattern))
        let compiled = try PathPattern(anyOf: [glob.regularExpression])
        #expect(matches.allSatisfy { $0.hasPrefix(glob.fixedStart) })
        for (path, isMatch) in matches.map({ ($0, true) }) + others.map({ ($0, false) }) {
            let bytes = Array(path.utf8)
            #expect(compiled.matches(bytes, 0..<bytes.count) == isMatch, "\(pattern) \(path)")
        }
    }

    @Test(
        "refuse a pattern that is not absolute, or whose first component is not written out",
        arguments: [
            "", "opt", "/", "/*", "/**", "/*/a", "/o*", "//a", "/a/", "/a//b", "/a/./b", "/a/..",
            "/a b", "/a\n", "/é", "/" + String(repeating: "a", count: 512),
        ])
    func wrongGlob(pattern: String) {
        #expect(PathGlob(pattern) == nil)
    }
}

@Suite("The running VM's state at a launch")
struct RuntimeStateTests {
    private func sample(failed: Bool, _ runtime: RuntimeRules?) -> Sample {
        var sample = Sample()
        sample.rules.runtime = runtime
        sample.context.runtimeHasFailed = failed
        return sample
    }

    @Test("refuses after a failed report, where the policy has the section")
    func failed() throws {
        let sample = sample(failed: true, RuntimeRules())
        #expect(try sample.checks(.refused) == ["runtime state"])
        #expect(try !Check.permitRelease(sample.findings(), checks: sample.checks()))
        let finding = try #require(sample.findings().first { $0.check == "runtime state" })
        #expect(finding.actual == "failed; `bootgate vm resume` lets it boot")
    }

    @Test("holds where no report failed")
    func trusted() throws {
        let sample = sample(failed: false, RuntimeRules())
        #expect(try sample.checks(.ok).contains("runtime state"))
        #expect(try Check.permitRelease(sample.findings(), checks: sample.checks()))
        let missing = try sample.findings().filter { $0.check != "runtime state" }
        #expect(try !Check.permitRelease(missing, checks: sample.checks()))
    }

    @Test("is not asked for where the policy does not want it")
    func unwanted() throws {
        var lenient = RuntimeRules()
        lenient.refusesLaunchAfterFailure = false
        for rules in [nil, lenient] {
            let sample = sample(failed: true, rules)
            #expect(try !sample.findings().contains { $0.check == "runtime state" })
            #expect(try Check.permitRelease(sample.findings(), checks: sample.checks()))
        }
    }
}

@Suite("Appraisal of a running VM")
struct RuntimeAppraisalTests {
    private static let now: Int64 = 1_800_000_000

    private func findings(
        _ sample: Sample,
        of context: RuntimeContext? = RuntimeContext(
            vm: "web-1", enrolledConfigDigest: fixed(0xc0))
    ) throws -> [Finding] {
        try AppraisalPolicy(validating: sample.rules).evaluateRuntime(
            sample.claims(), in: context, at: Self.now)
    }

    private func permits(_ findings: [Finding], _ sample: Sample) throws -> Bool {
        let policy = try AppraisalPolicy(validating: sample.rules)
        return Check.permitAppraisal(
            findings, checks: policy.runtimeChecks(for: try sample.claims()))
    }

    @Test("asks for all but what only a launch can answer, and holds for a genuine VM")
    func genuine() throws {
        var sample = Sample()
        sample.rules.runtime = RuntimeRules()
        let findings = try findings(sample)
        let launch: Set<String> = [
            "VM state", "runtime state", "config digest", "disk header", "report ID", "hand-over",
        ]
        #expect(
            findings.map(\.check)
                == (try sample.checks().map(\.rawValue)).filter { !launch.contains($0) })
        #expect(findings.allSatisfy { $0.outcome == .ok })
        #expect(try permits(findings, sample))
        #expect(try !permits(findings.dropLast(), sample))
    }

    @Test(
        "refuses by exactly the checks that a change concerns", arguments: EvaluationTests.mutations
    )
    func mutation(_ mutation: Mutation) throws {
        var sample = Sample()
        mutation.apply(&sample)
        let context = RuntimeContext(
            vm: sample.context.vm, enrolledConfigDigest: sample.context.enrolledConfigDigest)
        // At a running VM the list's dates are held to the time of the report.
        let findings = try findings(sample, of: context)
        let expected = mutation.refused.filter {
            ![.vmState, .configDigest, .diskHeader, .reportID].contains($0)
        }
        #expect(findings.filter { $0.outcome == .refused }.map(\.check) == expected.map(\.rawValue))
        #expect(try permits(findings, sample) == expected.isEmpty)
    }

    @Test("without the VM's records does not check identity and anchor, and says so")
    func alone() throws {
        let findings = try findings(Sample(), of: nil)
        #expect(
            findings.filter { $0.outcome == .notChecked }.map(\.check)
                == ["identity", "config anchor"])
        #expect(try permits(findings, Sample()))
    }
}
