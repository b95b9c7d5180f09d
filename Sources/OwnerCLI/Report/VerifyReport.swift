import Bytes
import Evidence
import Policy
import Verification

/// What came of looking at a running VM, for a person and for a program.
struct VerifyReport {
    /// How many entries that do not hold are shown; `--json` has all that were kept.
    private static let shownProblems = 20

    let outcome: RuntimeLook.Outcome
    /// What it was held against; nil where there was no snapshot.
    let snapshot: SnapshotFile?

    /// The VM's id, else its host's name.
    private var name: String { outcome.statement.vm ?? outcome.statement.hostName }

    func print(asJSON: Bool) -> ExitStatus {
        Output.show(RuntimeAnswer(self), asJSON: asJSON, else: lines(.standard))
        return outcome.isTrusted ? .success : .refused
    }

    /// First the answer, then each group of checks, then what does not hold, then what to do.
    func lines(_ screen: Screen) -> [String] {
        let groups = summaries
        var lines = [headline(screen), ""]
        for summary in groups { lines.append(line(summary, screen)) }
        let refused = outcome.findings.filter { $0.outcome == .refused }
        if !refused.isEmpty { lines += [""] + FindingLines(findings: refused).lines(screen) }
        lines += problemLines(screen)
        return lines + ["", "Next: \(next)"]
    }

    var summaries: [RuntimeGroupSummary] {
        RuntimeGroup.allCases.compactMap { group in
            let findings = outcome.findings.filter { RuntimeGroup(of: $0.check) == group }
            return findings.isEmpty
                ? nil : RuntimeGroupSummary(group: group, findings: findings)
        }
    }

    private func headline(_ screen: Screen) -> String {
        let name = name.shown
        guard outcome.isTrusted else {
            let checks = outcome.refusedChecks.map { "\"\($0.shown)\"" }
            let because =
                switch checks.count {
                case 0: "a check that must hold could not be made"
                case 1: "the check \(checks[0]) does not hold"
                case 2, 3: "the checks \(checks.joined(separator: ", ")) do not hold"
                default: "\(checks.count) checks do not hold"
                }
            return "\(name) is " + screen.paint("not trusted", .bad) + ": \(because)."
        }
        let count = outcome.result.quotedCount ?? 0
        let day = snapshot?.snapshot.details.map { " of \(ISO8601.text($0.time).prefix(10))" } ?? ""
        let byRule = outcome.result.allowed.reduce(0) { $0 + $1.count }
        let further = outcome.result.furtherCount
        let others =
            (further == 0 ? "" : ", \(further) in the whitelist")
            + (byRule == 0 ? "" : ", \(byRule) let in by rules of the policy")
        return "\(name) is " + screen.paint("trusted", .good)
            + ": \(max(0, count - further - byRule)) of \(count) measured files are in the snapshot\(day)"
            + "\(others)."
    }

    private func line(_ summary: RuntimeGroupSummary, _ screen: Screen) -> String {
        let (word, tone, text): (String, Screen.Tone, String) =
            switch summary.outcome {
            case .ok: ("ok", .good, summary.text(outcome))
            case .refused: ("REFUSED", .bad, refusals(summary))
            case .notChecked: ("not checked", .doubtful, summary.reason)
            }
        return "  \(summary.group.rawValue.padded(to: 18)) " + screen.paint(word, tone)
            + String(repeating: " ", count: max(1, 13 - word.count))
            + FindingLines.shortened(text.shown)
    }

    private func refusals(_ summary: RuntimeGroupSummary) -> String {
        summary.findings.filter { $0.outcome == .refused }.checks.joined(separator: ", ")
    }

    private func problemLines(_ screen: Screen) -> [String] {
        let problems = outcome.result.problems
        guard !problems.isEmpty else { return [] }
        var table = Table(["ENTRY", "CHECK", "PATH", "DIGEST", ""])
        table.rows = problems.prefix(Self.shownProblems).map { problem in
            [
                .init("\(problem.index)"), .init(problem.check), .init(problem.path),
                .init(FindingLines.shortened(problem.digest)), .init(problem.detail),
            ]
        }
        let more = problems.count - Self.shownProblems
        return [""] + table.lines(screen).map { "  \($0)" }
            + (more > 0 ? ["  and \(more) more; --json has them"] : [])
    }

    /// What to do.
    var next: String {
        let page = "docs/verify.md"
        if outcome.isTrusted {
            if outcome.result.isKeySelfMade {
                return
                    "take a snapshot by `bootgate snapshot`: this one names no TPM key, and only the "
                    + "VM says that its own is one, so its root could have made it."
            }
            return outcome.findings.contains { $0.outcome == .notChecked }
                ? "\(page) says what each check that was not made needs."
                : "nothing; every check was made and held."
        }
        let checks = Set(outcome.refusedChecks)
        let refused = Set(checks.map(RuntimeGroup.init(of:)))
        if refused.contains(.evidence) || refused.contains(.quote) {
            return "do not believe this VM; \(page) says where each check is explained."
        }
        if refused.contains(.reboot) {
            return "find out who rebooted the VM; a reboot of yours needs "
                + "`bootgate vm expect-reboot` before it, and a new snapshot without the gate."
        }
        if checks.contains(SnapshotFile.signatureCheck) {
            return "the file is not the one that was signed, or somebody else signed it: give "
                + "--signer, or take the snapshot anew."
        }
        if checks.contains(SnapshotTaker.fileCheck) {
            return "take the snapshot anew; somebody else may have had one made meanwhile."
        }
        if refused.contains(.snapshot) {
            return "find out how the files above came there; if it was you, "
                + "`bootgate update begin` and `update end` make the new snapshot."
        }
        if refused.contains(.applications) || refused.contains(.ssh) {
            return "see what answers at that address; it may be a proxy that ends TLS, or another "
                + "machine."
        }
        return "\(page) says where each check is explained."
    }
}

/// The shape is documented in docs/verify.md; members are added, never changed.
struct RuntimeAnswer: Encodable {
    struct Problem: Encodable {
        let check: String
        let entry: Int
        let path: String
        let digest: String
        let detail: String
    }

    struct Held: Encodable {
        let path: String
        let digest: String
    }

    let verdict: String
    let vm: String?
    let hostName: String
    let bootID: String
    let time: String
    let platform: String?
    let snapshot: Held?
    let entries: Int?
    let quotedEntries: Int?
    let findings: [Finding]
    let problems: [Problem]
    let next: String

    init(_ report: VerifyReport) {
        let outcome = report.outcome
        verdict = outcome.isTrusted ? "trusted" : "failed"
        vm = outcome.statement.vm
        hostName = outcome.statement.hostName
        bootID = outcome.statement.bootID
        time = ISO8601.text(outcome.time)
        platform = outcome.platform
        snapshot = report.snapshot.map { Held(path: $0.path, digest: $0.digest.hex) }
        entries = outcome.result.entryCount
        quotedEntries = outcome.result.quotedCount
        findings = outcome.findings
        problems = outcome.result.problems.map {
            Problem(
                check: $0.check, entry: $0.index, path: $0.path, digest: $0.digest,
                detail: $0.detail)
        }
        next = report.next
    }
}
