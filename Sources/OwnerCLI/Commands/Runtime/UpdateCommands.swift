import AdminAPI
import ArgumentParser
import Bytes
import Evidence
import Linux

/// `bootgate update`
struct UpdateCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change a running VM and keep it trusted.",
        subcommands: [UpdateBegin.self, UpdateEnd.self, UpdateAbort.self])

    /// `bootgate update begin`
    struct UpdateBegin: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "begin",
            abstract: "Open a window in which files may change.",
            discussion: """
                Reports still have to be authentic, fresh, replayed and of the right launch; files that the \
                snapshot does not have are told and do not make the VM fail.

                Example:
                  bootgate update begin web-1 --reason "security updates" --for 4h
                """)

        @Argument(help: "The VM.") var vm: String
        @Option(help: "Why; 1 to 256 bytes.") var reason: String
        @Option(name: .customLong("for"), help: "How long, such as 30m or 4h; 1m to 7d.")
        var length = DurationOption(seconds: 4 * 3600)
        @OptionGroup var global: GlobalOptions

        func validate() throws { try length.validate("--for") }

        func execute() throws -> ExitStatus {
            let record = try global.client.beginUpdate(
                try Names.vm(vm), reason: try Names.reason(reason), seconds: length.seconds)
            let until = record.window.map { Screen.standard.time($0.expires) } ?? "-"
            Output.show(
                record, asJSON: global.json,
                else: [
                    "\(record.vm) may change until \(until).",
                    "Next: update the VM, then `bootgate update end \(record.vm) --url "
                        + "https://HOST:5555`.",
                ])
            return .success
        }
    }

    /// `bootgate update abort`
    struct UpdateAbort: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "abort",
            abstract: "Close the window; the old snapshot counts again.",
            discussion: "Example:\n  bootgate update abort web-1")

        @Argument(help: "The VM.") var vm: String
        @Option(help: "Why; 1 to 256 bytes.") var reason = "aborted"
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let record = try global.client.endUpdate(
                try Names.vm(vm), reason: try Names.reason(reason))
            Output.show(
                record, asJSON: global.json,
                else: [
                    "The window of \(record.vm) is closed; reports are held against the old "
                        + "snapshot."
                ])
            return .success
        }
    }

    /// `bootgate update end`
    struct UpdateEnd: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "end",
            abstract: "Show what changed, make it the new snapshot, and close the window.",
            discussion: """
                The new snapshot is verified as `bootgate snapshot` does it. What differs from the registered \
                one is shown by package, with the package manager's word on each file; it becomes the new \
                one when you approve, at the terminal or by --yes. Without --url the agent is asked at \
                the host that the registered one names.

                Examples:
                  bootgate update end web-1 --token-file token
                  bootgate update end web-1 --url https://web-1.example:5555 --token-file token --yes
                """)

        @Argument(help: "The VM.") var vm: String
        @Option(
            name: [.short, .long],
            help: ArgumentHelp(
                "Where the new snapshot is written.",
                discussion: "Default: VM.snapshot in this folder.", valueName: "file"),
            completion: .file())
        var output: String?
        @Flag(help: "Approve without being asked.") var yes = false
        @OptionGroup var options: SnapshotOptions

        func execute() throws -> ExitStatus {
            let name = try Names.vm(vm)
            let asJSON = options.global.json
            guard yes || !asJSON else {
                throw Failure(
                    .usage, "--json: nobody can be asked there",
                    next: "Next: look at it without --json, or approve by --yes.")
            }
            let broker = options.global.client
            let record = try broker.runtime(name)
            guard let window = record.window else {
                throw Failure(
                    .unusableInput, "\(name) has no open window",
                    next: "Next: `bootgate update begin \(name) --reason ...`.")
            }
            let old = try Self.registered(record, broker)
            let client = try options.agent.client(hostName: old.details?.hostName)
            let path = output ?? "\(name).snapshot"
            guard let taken = try options.take(of: name, from: client, for: path) else {
                return .refused
            }
            let changes = SnapshotDifference(old: old, new: taken.file.snapshot)
            let report = UpdateReport(
                vm: name, difference: changes, old: old, new: taken.file.snapshot,
                owners: try client.owners(of: changes.questions))
            if !asJSON { report.print() }
            guard try yes || approves(report) else {
                throw Failure(
                    .refused, "not approved; nothing has changed and the window stays open",
                    next: "Next: `bootgate update end` again, or `bootgate update abort \(name)`.")
            }
            try broker.tell(name, kind: "update reviewed", detail: report.summary)
            let written = try SnapshotStore.keep(taken, at: path, OwnerKey(options.key))
            let registered = try SnapshotStore.register(
                written, for: name, replacesSigner: options.replaceSigner, broker)
            _ = try broker.endUpdate(name, reason: window.reason)
            Output.show(
                UpdateReport.Answer(report, registered), asJSON: asJSON,
                else: [
                    "\(path.shown) is the snapshot of \(name) now; the window is closed.",
                    "Next: `bootgate vm runtime \(name)` after its next report.",
                ])
            return .success
        }

        /// What the VM had to be so far; nothing where nothing was registered.
        private static func registered(
            _ record: RuntimeRecord, _ broker: AdminClient
        ) throws(Failure) -> Snapshot {
            guard record.snapshot != nil else { return Snapshot() }
            let bytes = try broker.snapshotFile(record.vm)
            do throws(ParseError) {
                return try Snapshot(parsing: bytes)
            } catch {
                throw Failure(.internal, "the registered snapshot: \("\(error)".shown)")
            }
        }

        private func approves(_ report: UpdateReport) throws(Failure) -> Bool {
            guard Terminal.isTerminal(0) else {
                throw Failure(
                    .unusableInput, "nobody can be asked here; nothing has changed",
                    next: "Next: look at the list above, then say it again with --yes.")
            }
            do throws(SystemError) {
                return try Terminal.ask("Make this the snapshot of \(report.vm)? [y/N]")
            } catch {
                throw Failure(.unusableInput, "no terminal to ask at: \("\(error)".shown)")
            }
        }
    }
}

extension SnapshotDifference {
    /// The paths that a package manager of the VM can be asked about: what is there now, under a name that no
    /// agent finds too long.
    var questions: [String] {
        (added + changed).map(\.path).filter { $0.hasPrefix("/") && $0.utf8.count <= 4096 }
    }
}
