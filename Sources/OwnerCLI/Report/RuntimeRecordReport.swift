import AdminAPI
import Linux

/// What the broker knows of a running VM, for a person.
struct RuntimeRecordReport {
    let record: RuntimeRecord

    func lines(_ screen: Screen) -> [String] {
        let vm = record.vm.shown
        let report =
            record.lastReport.map { reference in
                "\(reference), \(record.lastTime.map(screen.time) ?? "-")"
            } ?? "none yet"
        var rows = [("last report", report)]
        if !record.failedChecks.isEmpty {
            rows.append(("does not hold", record.failedChecks.joined(separator: ", ")))
        }
        rows.append(("snapshot", snapshot(screen)))
        if let boot = record.boot { rows.append(("expected boot", Self.text(boot))) }
        if let window = record.window {
            rows.append(
                ("update window", "until \(screen.time(window.expires)): \(window.reason)"))
        }
        if let ticket = record.ticket {
            rows.append(
                ("reboot ticket", "until \(screen.time(ticket.expires)): \(ticket.reason)"))
        }
        let word = screen.paint(record.state.rawValue, Self.tone(record.state))
        return ["\(vm): \(word)\(because).", ""]
            + rows.map { "  \($0.0.padded(to: 15))\($0.1.shown)" } + ["", "Next: \(next)"]
    }

    private var because: String {
        switch record.state {
        case .neverVerified:
            record.snapshot == nil ? ", no snapshot is registered" : ", no report came yet"
        case .trusted: ""
        case .stale: ", its last report is too old"
        case .failed: ", a report did not hold"
        }
    }

    private func snapshot(_ screen: Screen) -> String {
        guard let snapshot = record.snapshot else { return "none is registered" }
        let signer = snapshot.signer.map { "key \(FindingLines.shortened($0))" } ?? "nobody"
        return "\(FindingLines.shortened(snapshot.digest)), \(snapshot.files) files, registered "
            + "\(screen.time(snapshot.registered)), signed by \(signer)"
    }

    private var next: String {
        let vm = record.vm.shown
        return switch record.state {
        case .neverVerified where record.snapshot == nil:
            "`bootgate snapshot --url https://HOST:5555 --vm \(vm)`."
        case .neverVerified, .stale: "see in the VM whether bootgate-agent runs and reports."
        case .trusted: "nothing; `bootgate reports \(vm)` lists the reports."
        case .failed:
            "`bootgate why \(record.lastReport?.shown ?? "R-...")`; then `bootgate vm resume \(vm) "
                + "--reason ...` if you know why."
        }
    }

    static func tone(_ state: RuntimeState) -> Screen.Tone {
        switch state {
        case .trusted: .good
        case .failed: .bad
        case .neverVerified, .stale: .doubtful
        }
    }

    private static func text(_ boot: BootRecord) -> String {
        let parts = [
            boot.reportID.map { "REPORT_ID \(FindingLines.shortened($0))" },
            boot.resetCount.map { "reset \($0)" }, boot.restartCount.map { "restart \($0)" },
        ]
        return parts.compactMap { $0 }.joined(separator: ", ")
    }
}
