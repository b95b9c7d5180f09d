import AdminAPI
import ArgumentParser

extension VMCommands {
    /// `bootgate vm runtime`
    struct VMRuntime: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "runtime",
            abstract: "Show whether a running VM is still what was launched.",
            discussion: """
                Says what the broker found of the VM's own reports. Exit code 0: trusted. 1: it \
                failed, its last report is too old, or there was none.

                Example:
                  bootgate vm runtime web-1
                """)

        @Argument(help: "The VM.") var vm: String
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let record = try global.client.runtime(try Names.vm(vm))
            Output.show(
                record, asJSON: global.json,
                else: RuntimeRecordReport(record: record).lines(.standard))
            return record.state == .trusted ? .success : .refused
        }
    }

    /// `bootgate vm resume`
    struct VMResume: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume",
            abstract: "Forget that a report of a VM failed.",
            discussion: """
                The reason goes into the ledger. The next report decides anew.

                Example:
                  bootgate vm resume web-1 --reason "the new binary was ours, see ticket 7"
                """)

        @Argument(help: "The VM.") var vm: String
        @Option(help: "Why; 1 to 256 bytes.") var reason: String
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let record = try global.client.resume(
                try Names.vm(vm), reason: try Names.reason(reason))
            Output.show(
                record, asJSON: global.json,
                else: [
                    "\(record.vm) is resumed and now \"\(record.state.rawValue)\"; its next report "
                        + "decides anew.",
                    "Next: `bootgate vm runtime \(record.vm)`.",
                ])
            return .success
        }
    }

    /// `bootgate vm expect-reboot`
    struct VMExpectReboot: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "expect-reboot",
            abstract: "Let one reboot of a VM pass.",
            discussion: """
                The ticket is spent by the first report from a boot that the gate itself let in after \
                the ticket was given; any other reboot fails all the same.

                Example:
                  bootgate vm expect-reboot web-1 --reason "new kernel" --within 2h
                """)

        @Argument(help: "The VM.") var vm: String
        @Option(help: "Why; 1 to 256 bytes.") var reason: String
        @Option(help: "How long the ticket is good, such as 30m or 2h; 1m to 7d.")
        var within = DurationOption(seconds: 2 * 3600)
        @OptionGroup var global: GlobalOptions

        func validate() throws { try within.validate("--within") }

        func execute() throws -> ExitStatus {
            let record = try global.client.expectReboot(
                try Names.vm(vm), reason: try Names.reason(reason), seconds: within.seconds)
            let until = record.ticket.map { Screen.standard.time($0.expires) } ?? "-"
            Output.show(
                record, asJSON: global.json,
                else: [
                    "\(record.vm) may be rebooted once, until \(until).",
                    "Next: reboot it, then `bootgate vm runtime \(record.vm)`.",
                ])
            return .success
        }
    }
}
