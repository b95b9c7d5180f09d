import AdminAPI
import ArgumentParser
import Bytes
import Policy
import Protocol
import Testing
import Verification

@testable import OwnerCLI

private let screen = Screen(hasColor: false, now: 1_795_250_000)

private func launch(
    _ decision: LaunchDecision, outcome: LaunchOutcome = .none, findings: [Finding] = []
) -> LaunchRecord {
    LaunchRecord(
        reference: "L-00041", launchID: "00", vm: "web-1", time: screen.now - 60,
        timeText: "", from: "203.0.113.7", platform: "SNP Genoa", decision: decision,
        refusedChecks: findings.filter { $0.outcome == .refused }.map(\.check), outcome: outcome,
        tookMilliseconds: 1.06, policy: "web", findings: findings)
}

private let measurement = Finding(
    check: "measurement", outcome: .refused, expected: "\"image 2026-11\" a4e1", actual: "7379",
    note: "the value fits 8 vCPUs")

@Test("a refusal answers in its first line, shows both values, and ends in what to do next")
func refusal() {
    let findings = [
        Finding(check: "signature", outcome: .ok, expected: "a signature", actual: "by VCEK"),
        Finding(
            check: "revocation", outcome: .notChecked, expected: "-", actual: "-", note: "no CRL"),
        measurement,
    ]
    let lines = WhyReport(launch: launch(.refused, findings: findings)).lines(screen)
    #expect(lines.first == "Refused: the measurement is not one this policy knows.")
    #expect(lines.contains("  signature          ok           by VCEK"))
    #expect(lines.contains("  revocation         not checked  no CRL"))
    #expect(lines.contains("  measurement        REFUSED      got       7379"))
    #expect(lines.contains { $0.hasSuffix("expected  \"image 2026-11\" a4e1") })
    #expect(lines.contains("Hint: the value fits 8 vCPUs"))
    #expect(lines.last?.hasPrefix("Next: if that change is intended") == true)
}

@Test("every check that can refuse has its sentence, and the next step fits the check")
func sentences() {
    let checks =
        Check.allCases.map(\.rawValue) + SNPCheck.allCases.map(\.rawValue)
        + TDXCheck.allCases.map(\.rawValue) + TPMCheck.allCases.map(\.rawValue)
        + AzureCheck.allCases.map(\.rawValue) + EventLogCheck.allCases.map(\.rawValue)
        + [
            "purpose", "key name", "policy", "evidence kind", "endorsements", "TPM key name",
            "paravisor's report",
        ]
    for check in checks {
        #expect(RefusalText.sentence(check) != nil, "\(check)")
        let finding = Finding(check: check, outcome: .refused, expected: "a", actual: "b")
        let lines = WhyReport(launch: launch(.refused, findings: [finding])).lines(screen)
        #expect(lines.last?.hasPrefix("Next: ") == true)
    }
    func next(_ checks: [String]) -> String? {
        RefusalText.next(checks, vm: "web-1", policy: "web")
    }
    #expect(next(["TCB status"])?.contains("firmware updated") == true)
    #expect(next(["endorsements", "TCB status"])?.contains("endorsements check") == true)
    #expect(next(["hand-over"])?.contains("start the VM anew") == true)
    #expect(next(["PCRs"])?.contains("bootgate measure uki") == true)
    #expect(next(["XFAM"]) == nil)
}

@Test("why and the list of launches show class and anchor")
func classAndAnchor() {
    var record = launch(.refused, findings: [measurement])
    record.launchClass = .paravisorVTPM
    record.anchor = .measuredImage
    let lines = WhyReport(launch: record).lines(screen)
    #expect(lines.contains { $0.contains("class paravisor-vtpm, anchor measured-image") })
    let table = Launches.table([record], screen).lines(screen)
    #expect(table[1].contains("paravisor-vtpm") && table[1].contains("measured-image"))
}

@Test("several refused checks are counted and named")
func several() {
    let debug = Finding(check: "debug", outcome: .refused, expected: "off", actual: "on")
    let lines = WhyReport(launch: launch(.refused, findings: [debug, measurement])).lines(screen)
    #expect(lines.first == "Refused: 2 checks do not hold (debug, measurement).")
}

@Test("a release says what became of the key")
func released() {
    func headline(_ outcome: LaunchOutcome) -> String? {
        WhyReport(launch: launch(.released, outcome: outcome)).lines(screen).first
    }
    #expect(headline(.unlocked) == "Released: the VM proved that its disk is open.")
    #expect(headline(.open) == "Released; the VM has not said what became of the key.")
    #expect(headline(.failed)?.hasPrefix("Released, and the disk did not open") == true)
}

@Test("text of a peer cannot command the terminal, and nothing is coloured without one")
func escapes() {
    let finding = Finding(
        check: "identity", outcome: .refused, expected: "an enrolled VM", actual: "a\u{1b}[2Jb\n")
    let lines = WhyReport(launch: launch(.refused, findings: [finding])).lines(screen)
    #expect(lines.allSatisfy { !$0.unicodeScalars.contains { $0.value < 0x20 } })
    #expect(lines.contains { $0.contains("a?[2Jb?") })
}

@Test("colours come with a terminal, and widths do not change by them")
func colours() {
    let terminal = Screen(hasColor: true, now: screen.now)
    let table = Launches.table([launch(.refused, findings: [measurement])], screen)
    let plain = table.lines(screen)
    let coloured = table.lines(terminal)
    #expect(coloured[1].contains("\u{1b}[31mrefused\u{1b}[0m"))
    let stripped = coloured[1].replacing(#/\u{1b}\[[0-9]+m/#, with: "")
    #expect(stripped == plain[1])
    #expect(plain[1].hasSuffix("measurement"))
    #expect(plain[0].hasPrefix("LAUNCH   VM     WHEN"))
}

@Test(
    "durations are short",
    arguments: [
        (0.04, "0.0 ms"), (1.06, "1.1 ms"), (212.4, "212 ms"), (3440.0, "3.4 s"),
    ])
func durations(milliseconds: Double, expected: String) {
    #expect(Screen.duration(milliseconds: milliseconds) == expected)
}

@Test("times say today and yesterday")
func times() {
    #expect(screen.time(screen.now).hasPrefix("today "))
    #expect(screen.time(screen.now - 86_400).hasPrefix("yesterday "))
    #expect(screen.time(0).hasPrefix("1970-01-01 ") || screen.time(0).hasPrefix("1969-12-31 "))
}

@Test("what a VM must be launched with follows from its anchor")
func advice() throws {
    let digest = try #require(FixedBytes<32>(hex: String(repeating: "0a", count: 32)))
    let hostData = LaunchAdvice(digest: digest, anchor: .hostData)
    let lines = hostData.lines(configPath: "gate.conf")
    #expect(lines.contains("  hex      \(digest.hex)"))
    #expect(lines.contains { $0.contains("kernel-hashes=on,host-data=\(hostData.hostData)") })
    #expect(lines.contains { $0.contains("<hostData>\(hostData.hostData)</hostData>") })
    let tdx = LaunchAdvice(digest: digest, anchor: .mrconfigid).lines(configPath: "gate.conf")
    #expect(tdx.contains("  hex      \(digest.hex)\(String(repeating: "0", count: 32))"))
    let image = LaunchAdvice(digest: digest, anchor: .measuredImage).lines(configPath: "gate.conf")
    #expect(image.contains { $0.contains("/etc/bootgate/gate.conf") })
}

@Test(
    "options of all commands may stand before the command",
    arguments: [
        (["--json", "vm", "list"], ["vm", "list", "--json"]),
        (["--socket", "s", "why", "x", "--", "y"], ["why", "x", "--socket", "s", "--", "y"]),
        (["--socket=s", "--json", "launches"], ["launches", "--socket=s", "--json"]),
        (["vm", "list", "--json"], ["vm", "list", "--json"]),
        (["--socket"], ["--socket"]),
        (
            ["--url", "u", "--allow-insecure-tls", "app", "status"],
            ["app", "status", "--url", "u", "--allow-insecure-tls"]
        ),
        (["--url=u", "verify", "-s", "f"], ["verify", "-s", "f", "--url=u"]),
        (["--help"], ["--help"]),
    ])
func globalOptions(given: [String], expected: [String]) {
    #expect(CommandLineTool.movingGlobalOptions(given) == expected)
}

@Test("every command's help has an example")
func examples() {
    let commands: [(String, any ParsableCommand.Type)] = [
        ("init", Initialize.self), ("launches", Launches.self), ("why", Why.self),
        ("completions", Completions.self), ("vm enroll", VMEnroll.self),
        ("vm list", VMCommands.VMList.self), ("vm show", VMCommands.VMShow.self),
        ("vm disable", VMCommands.VMDisable.self), ("vm enable", VMCommands.VMEnable.self),
        ("vm remove", VMCommands.VMRemove.self), ("policy check", PolicyCommands.Check.self),
        ("policy add", PolicyCommands.Add.self), ("policy list", PolicyCommands.List.self),
        ("policy show", PolicyCommands.Show.self),
    ]
    for (name, command) in commands {
        let help = Bootgate.helpMessage(for: command)
        #expect(help.contains("Example"), "\(name)")
        #expect(help.contains("  bootgate \(name)"), "\(name)")
    }
}
