import AdminAPI
import ArgumentParser

/// `bootgate reports`
struct Reports: OwnerCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the reports of a running VM, newest first.",
        discussion: """
            Examples:
              bootgate reports web-1
              bootgate reports web-1 --limit 5 --json

            `bootgate why REPORT` explains one of them.
            """)

    @Argument(help: "The VM.") var vm: String
    @OptionGroup var rows: RowLimit
    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let name = try Names.vm(vm)
        let list = try global.client.reports(name, limit: rows.limit)
        // The ledger has no rows of a name that nobody knows, too.
        if list.reports.isEmpty { _ = try global.client.vm(name) }
        Output.show(
            list, asJSON: global.json,
            else: list.reports.isEmpty
                ? ["\(vm) has not reported yet."]
                : Self.table(list.reports, .standard).lines(.standard))
        return .success
    }

    static func table(_ reports: [ReportRecord], _ screen: Screen) -> Table {
        var table = Table(["REPORT", "WHEN", "FROM", "VERDICT", "ENTRIES", ""])
        table.rows = reports.map { report in
            [
                .init(report.reference), .init(screen.time(report.time)), .init(report.from),
                .init(report.verdict, ReportText.tone(report.verdict)),
                .init(ReportText.entries(report)),
                .init(report.refusedChecks.joined(separator: ", ")),
            ]
        }
        return table
    }
}

/// One report of a running VM, for a person.
struct ReportText {
    let report: ReportRecord

    func lines(_ screen: Screen) -> [String] {
        let verdict = screen.paint(report.verdict.shown, Self.tone(report.verdict))
        let because =
            report.refusedChecks.isEmpty ? "" : ": \(report.refusedChecks.joined(separator: ", "))"
        var lines = [
            "\(report.reference.shown) of \(report.vm.shown): \(verdict)\(because.shown).", "",
            "  came \(screen.time(report.time)) from \(report.from.shown); log entries: "
                + Self.entries(report), "",
        ]
        lines += FindingLines(findings: report.findings ?? []).lines(screen)
        let problems = report.problems ?? []
        if !problems.isEmpty {
            var table = Table(["ENTRY", "CHECK", "PATH", ""])
            table.rows = problems.map {
                [.init("\($0.index)"), .init($0.check), .init($0.path), .init($0.detail)]
            }
            lines += [""] + table.lines(screen).map { "  \($0)" }
        }
        return lines + ["", "Next: \(next)"]
    }

    private var next: String {
        report.verdict == "failed"
            ? "`bootgate vm runtime \(report.vm.shown)` says what holds now."
            : "nothing; `bootgate reports \(report.vm.shown)` lists the others."
    }

    /// How many entries a quote vouches for, of how many.
    static func entries(_ report: ReportRecord) -> String {
        guard let entries = report.entries else { return "-" }
        return report.quotedEntries.map { "\($0) of \(entries)" } ?? "\(entries), none quoted"
    }

    static func tone(_ verdict: String) -> Screen.Tone {
        switch verdict {
        case "trusted": .good
        case "failed": .bad
        default: .doubtful
        }
    }
}
