import AdminAPI
import ArgumentParser
import Bytes

/// `bootgate vm`
struct VMCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm",
        abstract: "Enrol VMs and decide which of them may boot.",
        subcommands: [
            VMEnroll.self, VMList.self, VMShow.self, VMDisable.self, VMEnable.self, VMRemove.self,
            VMRuntime.self, VMEvents.self, VMResume.self, VMExpectReboot.self,
        ])

    /// `bootgate vm list`
    struct VMList: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the enrolled VMs.",
            discussion: "Example:\n  bootgate vm list --json")

        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let list = try global.client.vms()
            Output.show(
                list, asJSON: global.json,
                else: list.vms.isEmpty
                    ? ["No VM is enrolled; `bootgate vm enroll --help` says how."]
                    : Self.table(list.vms, .standard).lines(.standard))
            return .success
        }

        private static func table(_ vms: [VMRecord], _ screen: Screen) -> Table {
            var table = Table(["VM", "STATE", "POLICY", "ENROLLED", "LAST LAUNCH"])
            table.rows = vms.map { vm in
                [
                    .init(vm.id),
                    .init(vm.state.rawValue, vm.state == .enabled ? .good : .doubtful),
                    .init(vm.policy), .init(screen.time(vm.created)),
                    .init(vm.lastLaunch ?? "-"),
                ]
            }
            return table
        }
    }

    /// `bootgate vm show`
    struct VMShow: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a VM, its gate.conf and what it must be launched with.",
            discussion: "Example:\n  bootgate vm show web-1")

        @Argument(help: "The VM.") var vm: String
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let record = try global.client.vm(try Names.vm(vm))
            Output.show(record, asJSON: global.json, else: VMReport(vm: record).lines(.standard))
            return .success
        }
    }

    /// `bootgate vm disable`
    struct VMDisable: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Refuse every launch of a VM from now on.",
            discussion: "Example:\n  bootgate vm disable web-1 --reason \"host is being examined\"")

        @Argument(help: "The VM.") var vm: String
        @Option(help: "Why; shown to owners.") var reason: String?
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let record = try global.client.disable(try Names.vm(vm), reason: reason)
            Output.show(
                record, asJSON: global.json,
                else: [
                    "\(record.id) is disabled: its next launch is refused. "
                        + "A VM that runs keeps running.",
                    "Undo: `bootgate vm enable \(record.id)`.",
                ])
            return .success
        }
    }

    /// `bootgate vm enable`
    struct VMEnable: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Let the policy decide on a VM's launches again.",
            discussion: "Example:\n  bootgate vm enable web-1")

        @Argument(help: "The VM.") var vm: String
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let record = try global.client.enable(try Names.vm(vm))
            Output.show(
                record, asJSON: global.json,
                else: [
                    "\(record.id) is enabled: policy \"\(record.policy.shown)\" decides."
                ])
            return .success
        }
    }

    /// `bootgate vm remove`
    struct VMRemove: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Forget a VM and the key of its disk.",
            discussion: """
                The broker forgets the disk's key; the VM cannot boot until it is enrolled again with \
                a passphrase of yours. Its launches stay in the ledger. Without --yes the command asks.

                Example:
                  bootgate vm remove web-1 --yes
                """)

        @Argument(help: "The VM.") var vm: String
        @Flag(help: "Do not ask.") var yes = false
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let name = try Names.vm(vm)
            let record = try global.client.vm(name)
            guard yes else {
                throw Failure(
                    .unusableInput,
                    "removing \(name) destroys the broker's copy of its disk key (keyslot "
                        + "\(record.keyslot) of volume \(record.luksUUID.shown))",
                    next: "Next: if you hold a passphrase of that disk, say it again with --yes.")
            }
            try global.client.remove(name)
            Output.show(
                record, asJSON: global.json,
                else: [
                    "\(name) is removed; keyslot \(record.keyslot) of its disk opens for nobody now."
                ])
            return .success
        }
    }
}
