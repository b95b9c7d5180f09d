import Policy
import Settings
import Testing

@Suite("Section [runtime] of a policy file")
struct RuntimePolicyTests {
    private func rules(_ section: String) throws -> RuntimeRules? {
        try AppraisalPolicy(toml: "name = \"web\"\n\(section)").rules.runtime
    }

    private func error(_ section: String) -> String? {
        do {
            _ = try rules(section)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("is absent unless written, and strict when empty")
    func defaults() throws {
        #expect(try rules("") == nil)
        #expect(try rules("[runtime]") == RuntimeRules())
    }

    @Test("is read with every key")
    func everyKey() throws {
        let read = try rules(
            """
            [runtime]
            stale_after = "15m"
            refuse_launch_after_failure = false
            violations = "warn"
            [[runtime.allow]]
            path = "/opt/*/bin/**"
            [[runtime.allow]]
            package = "curl"
            [[runtime.allow]]
            signer = \"\"\"
            -----BEGIN PUBLIC KEY-----
            MAA=
            -----END PUBLIC KEY-----
            \"\"\"
            [[runtime.allow]]
            overlay = "/var/lib/containerd"
            """)
        var rules = RuntimeRules()
        rules.staleAfter = 900
        rules.refusesLaunchAfterFailure = false
        rules.violations = .warn
        rules.allowances = [
            .path(try #require(PathGlob("/opt/*/bin/**"))), .package("curl"),
            .signer([0x30, 0]), .overlay("/var/lib/containerd"),
        ]
        #expect(read == rules)
    }

    @Test(
        "takes a duration in seconds, minutes, hours or days",
        arguments: [("90s", 90), ("1m", 60), ("2h", 7200), ("30d", 2_592_000)])
    func durations(text: String, seconds: Int) throws {
        #expect(try rules("[runtime]\nstale_after = \"\(text)\"")?.staleAfter == UInt32(seconds))
    }

    @Test(
        "refuses a duration without a unit, of another form, or out of bounds",
        arguments: [
            "", "s", "90", "90 s", "1.5h", "-1h", "+90s", "090s", "59s", "31d", "721h", "1w", "1H",
            "9223372036854775807d", "99999999999999999999s",
        ])
    func wrongDuration(text: String) {
        #expect(
            error("[runtime]\nstale_after = \"\(text)\"")
                == "runtime.stale_after: expected a duration such as \"90s\", \"15m\", \"2h\" or \"7d\", 60 to 2592000 s, got the text \"\(text)\""
        )
    }

    @Test("refuses a rule of none or two kinds, and values that are none of their kind")
    func wrongRules() {
        let rule = "[[runtime.allow]]\n"
        #expect(
            error(rule)
                == "runtime.allow[0]: expected one of path, package, signer and overlay, got none")
        #expect(
            error(rule + "path = \"/a\"\npackage = \"b\"")
                == "runtime.allow[0]: expected one of path, package, signer and overlay, got 2 of them"
        )
        #expect(error(rule + "path = \"/*\"")?.hasPrefix("runtime.allow[0].path: ") == true)
        #expect(error(rule + "overlay = \"/\"")?.hasPrefix("runtime.allow[0].overlay: ") == true)
        #expect(error(rule + "signer = \"MAA=\"")?.hasPrefix("runtime.allow[0].signer: ") == true)
        // What begins as DER does is not taken for DER.
        #expect(error(rule + "signer = \"0\"")?.hasPrefix("runtime.allow[0].signer: ") == true)
        #expect(error(rule + "path = \"/a\"\nuser = \"root\"")?.contains("an unknown key") == true)
        #expect(
            error("[runtime]\nviolations = \"ignore\"")?.hasPrefix("runtime.violations: ") == true)
        #expect(error("[runtime]\nstale = \"1h\"")?.contains("an unknown key") == true)
    }
}
