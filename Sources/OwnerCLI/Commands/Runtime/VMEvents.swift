import AdminAPI
import ArgumentParser

extension VMCommands {
    /// `bootgate vm events`
    struct VMEvents: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "events",
            abstract: "List what was done to a running VM, newest first.",
            discussion: """
                Snapshots, windows, tickets, resumptions, and what was told of its application.

                Example:
                  bootgate vm events web-1 --limit 5
                """)

        @Argument(help: "The VM.") var vm: String
        @OptionGroup var rows: RowLimit
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let list = try global.client.events(try Names.vm(vm), limit: rows.limit)
            Output.show(
                list, asJSON: global.json,
                else: list.events.isEmpty
                    ? ["Nothing was done to \(vm) yet."]
                    : Self.table(list.events, .standard).lines(.standard))
            return .success
        }

        static func table(_ events: [VMEvent], _ screen: Screen) -> Table {
            var table = Table(["WHEN", "WHAT", ""])
            table.rows = events.map {
                [.init(screen.time($0.time)), .init($0.kind), .init($0.detail)]
            }
            return table
        }
    }
}

/// How many rows of the ledger are listed.
struct RowLimit: ParsableArguments {
    @Option(help: "How many to list, 1 to 1000.")
    var limit = 20

    func validate() throws {
        guard (1...1000).contains(limit) else {
            throw ValidationError("--limit: expected 1 to 1000, got \(limit)")
        }
    }
}
