import AdminAPI
import Policy

/// Why a launch was decided as it was: every check with what was expected and what came.
struct WhyReport {
    let launch: LaunchRecord
    /// What the files of the VM told about its measurement.
    var explanation: String?

    func lines(_ screen: Screen) -> [String] {
        let findings = launch.findings ?? []
        var lines = [headline(findings, screen), ""]
        let width = max(18, (findings.map(\.check.count).max() ?? 0) + 1)
        for finding in findings {
            lines += self.lines(finding, width: width, screen)
        }
        if findings.isEmpty { lines.append("  No finding was kept for this launch.") }
        lines += ["", "  " + facts(screen).joined(separator: ", ") + "."]
        var hints = findings.filter { $0.outcome == .refused }.compactMap(\.note)
        if let explanation {
            hints.append(explanation + ".")
        } else if launch.refusedChecks.contains("measurement"),
            launch.platform?.hasPrefix("SNP") ?? false
        {
            hints.append(
                "with --firmware, --kernel, --initrd and --append this command also tries the usual "
                    + "variants of what you meant to boot.")
        }
        lines += hints.map { "Hint: \($0.shown)" }
        lines.append("Next: \(next)")
        return lines
    }

    private func headline(_ findings: [Finding], _ screen: Screen) -> String {
        switch launch.decision {
        case .released:
            return switch launch.outcome {
            case .unlocked:
                screen.paint("Released", .good) + ": the VM proved that its disk is open."
            case .failed:
                screen.paint("Released", .good)
                    + ", and the disk did not open: \(launch.failure?.shown ?? "no reason given")"
                    + (launch.failureDetail.map { " (\($0.shown))" } ?? "") + "."
            case .open, .none:
                screen.paint("Released", .good) + "; the VM has not said what became of the key."
            }
        case .held:
            return screen.paint("Held", .doubtful) + ": the VM was told to come back."
        case .refused:
            let refused = findings.filter { $0.outcome == .refused }.map(\.check)
            let names = refused.isEmpty ? launch.refusedChecks : refused
            let because =
                switch names.count {
                case 0: "no check that must hold could be made"
                case 1:
                    RefusalText.sentence(names[0])
                        ?? "the check \"\(names[0].shown)\" does not hold"
                default:
                    "\(names.count) checks do not hold (\(names.joined(separator: ", ").shown))"
                }
            return screen.paint("Refused", .bad) + ": \(because)."
        }
    }

    private func lines(
        _ finding: Finding, width: Int, _ screen: Screen
    ) -> [String] {
        let (word, tone): (String, Screen.Tone) =
            switch finding.outcome {
            case .ok: ("ok", .good)
            case .refused: ("REFUSED", .bad)
            case .notChecked: ("not checked", .doubtful)
            }
        let start =
            "  \(finding.check.shown.padded(to: width)) "
            + screen.paint(word, tone) + String(repeating: " ", count: max(1, 13 - word.count))
        let indent = String(repeating: " ", count: width + 16)
        switch finding.outcome {
        case .ok:
            let value = finding.actual.isEmpty ? finding.expected : finding.actual
            return [start + Self.shortened(value.shown)]
        case .notChecked:
            let reason = [finding.note, finding.actual, finding.expected].compactMap { $0 }
            return [start + (reason.first { !$0.isEmpty } ?? "").shown]
        case .refused:
            return [
                start + "got       \(finding.actual.shown)",
                indent + "expected  \(finding.expected.shown)",
            ]
        }
    }

    /// Digests that hold are shown by their ends; `--json` and refusals have them whole.
    static func shortened(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            word.utf8.count >= 40 && word.allSatisfy(\.isHexDigit)
                ? "\(word.prefix(8))..\(word.suffix(4))" : String(word)
        }.joined(separator: " ")
    }

    private func facts(_ screen: Screen) -> [String] {
        var facts = ["\(launch.reference.shown) of \(launch.vm.shown)", screen.time(launch.time)]
        facts.append("from \(launch.from.shown)")
        if let platform = launch.platform { facts.append(platform.shown) }
        if let launchClass = launch.launchClass { facts.append("class \(launchClass.rawValue)") }
        if let anchor = launch.anchor { facts.append("anchor \(anchor.rawValue)") }
        if let policy = launch.policy { facts.append("policy \"\(policy.shown)\"") }
        return facts
    }

    private var next: String {
        let vm = launch.vm.shown
        switch launch.decision {
        case .held: return "the VM comes back by itself; `bootgate launches \(vm)`."
        case .released where launch.outcome == .failed:
            return "enrol the disk again with `bootgate vm enroll \(vm) --disk FILE`."
        case .released: return "nothing; `bootgate launches \(vm)` shows the VM's other launches."
        case .refused: break
        }
        let policy = launch.policy?.shown ?? "NAME"
        return RefusalText.next(launch.refusedChecks, vm: vm, policy: policy)
            ?? "`bootgate policy show \(policy)` shows what is demanded."
    }
}
