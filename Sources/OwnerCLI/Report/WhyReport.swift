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
        lines += FindingLines(findings: findings).lines(screen)
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
