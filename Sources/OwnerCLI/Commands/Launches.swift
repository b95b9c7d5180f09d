import AdminAPI
import ArgumentParser
import Policy

/// `bootgate launches`
struct Launches: OwnerCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the launches in the ledger, newest first.",
        discussion: """
            Examples:
              bootgate launches
              bootgate launches web-1 --limit 5
              bootgate launches --decision refused --json

            `bootgate why LAUNCH` explains one of them.
            """)

    @Argument(help: "Only launches of this VM.")
    var vm: String?

    @OptionGroup var rows: RowLimit

    @Option(help: "Only these: released, refused or held.")
    var decision: Decision?

    enum Decision: String, ExpressibleByArgument, CaseIterable {
        case released
        case refused
        case held
    }

    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let list = try global.client.launches(
            vm: try vm.map(Names.vm),
            decision: decision.flatMap { LaunchDecision(rawValue: $0.rawValue) },
            limit: rows.limit)
        Output.show(
            list, asJSON: global.json,
            else: list.launches.isEmpty
                ? [vm.map { "\($0) has not asked for its key yet." } ?? "No launch yet."]
                : Self.table(list.launches, Screen.standard).lines(.standard))
        return .success
    }

    static func table(_ launches: [LaunchRecord], _ screen: Screen) -> Table {
        var table = Table([
            "LAUNCH", "VM", "WHEN", "FROM", "PLATFORM", "CLASS", "ANCHOR", "DECISION", "OUTCOME",
            "TOOK", "",
        ])
        for launch in launches {
            let decision: Screen.Tone =
                switch launch.decision {
                case .released: .good
                case .refused: .bad
                case .held: .doubtful
                }
            let remark = launch.failure ?? launch.refusedChecks.joined(separator: ", ")
            table.rows.append([
                .init(launch.reference), .init(launch.vm), .init(screen.time(launch.time)),
                .init(launch.from), .init(launch.platform ?? "-"),
                .init(launch.launchClass?.rawValue ?? "-"), .init(launch.anchor?.rawValue ?? "-"),
                .init(launch.decision.rawValue, decision),
                .init(launch.outcome == .none ? "-" : launch.outcome.rawValue),
                .init(Screen.duration(milliseconds: launch.tookMilliseconds)), .init(remark),
            ])
        }
        return table
    }
}
