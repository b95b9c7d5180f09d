import AgentAPI
import ArgumentParser
import Bytes
import Linux
import OpenSSL

/// `bootgate app`
struct AppCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app",
        abstract: "Configure and control the application in a running VM.",
        subcommands: [
            AppInit.self, AppStart.self, AppStop.self, AppRestart.self, AppStatusShow.self,
        ])

    /// The VM whose ledger is told, and how.
    struct Ledger: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "The VM in whose ledger this is told.",
                discussion: "Default: the one that the agent names.", valueName: "name"))
        var vm: String?
        @OptionGroup var global: GlobalOptions

        /// Puts the event into the ledger where the broker can be asked and knows the VM; says whether it did.
        func tell(_ kind: String, _ detail: String, _ agent: AgentClient) throws(Failure) -> String
        {
            let named: String?
            if let vm { named = try Names.vm(vm) } else { named = try agent.about().vm }
            guard let named else { return "not in a ledger: the VM has no id; name it with --vm" }
            guard try global.client.runtimeIfKnown(named) != nil else {
                return "not in the ledger: no broker that knows \(named.shown) can be asked"
            }
            try global.client.tell(named, kind: kind, detail: detail)
            return "in the ledger of \(named.shown)"
        }

        /// Prints a status, or JSON.
        func show(_ status: AppStatus, note: String?) {
            if global.json {
                Console.print(JSONText.pretty(status))
                return
            }
            let digest = status.configurationDigest ?? "none, or not shown without a login"
            Console.print(
                "\(status.serviceName.shown) (\(status.serviceType.shown)): \(status.state.shown)")
            Console.print("  configuration  \(digest.shown)")
            if let note { Console.print("  told           \(note)") }
        }
    }

    /// `bootgate app init`
    struct AppInit: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Give the application its configuration.",
            discussion: """
                The bytes are written as app.conf, for root alone, below `app_storage` of the VM's \
                agent.toml; nobody looks into them. Verify the VM before you give it a secret.

                Example:
                  bootgate app init --conf app.toml --url https://web-1.example:5555 \
                --token-file token
                """)

        /// As the agent has it.
        private static let limit = 4 << 20

        @Option(
            name: [.customLong("conf"), .customLong("configuration")],
            help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file())
        var configuration: String
        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger

        func execute() throws -> ExitStatus {
            let content = try EvidenceFile.read(configuration, "--conf", atMost: Self.limit)
            let client = try agent.client()
            try client.configure(app: content)
            let digest = OpenSSLHashing().sha256(content).hex
            let note = try ledger.tell("app init", "configuration \(digest)", client)
            ledger.show(try client.appStatus(), note: note)
            return .success
        }
    }

    /// `bootgate app start`
    struct AppStart: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "start", abstract: "Start the application.",
            discussion: "Example:\n  bootgate app start --url https://web-1:5555 --token-file token"
        )

        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger

        func execute() throws -> ExitStatus { try AppCommands.act("start", agent, ledger) }
    }

    /// `bootgate app stop`
    struct AppStop: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: "Stop the application.",
            discussion: "Example:\n  bootgate app stop --url https://web-1:5555 --token-file token")

        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger

        func execute() throws -> ExitStatus { try AppCommands.act("stop", agent, ledger) }
    }

    /// `bootgate app restart`
    struct AppRestart: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "restart", abstract: "Stop the application and start it again.",
            discussion:
                "Example:\n  bootgate app restart --url https://web-1:5555 --token-file token"
        )

        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger

        func execute() throws -> ExitStatus { try AppCommands.act("restart", agent, ledger) }
    }

    /// `bootgate app status`
    struct AppStatusShow: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show whether the application runs.",
            discussion: """
                Exit code 0: it runs. 1: it does not.

                Example:
                  bootgate app status --url https://web-1.example:5555
                """)

        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger

        func execute() throws -> ExitStatus {
            let status = try agent.client().appStatus()
            ledger.show(status, note: nil)
            return status.state == "running" ? .success : .refused
        }
    }

    fileprivate static func act(
        _ action: String, _ agent: AgentOptions, _ ledger: Ledger
    ) throws(Failure) -> ExitStatus {
        let client = try agent.client()
        let status = try client.app(action)
        let note = try ledger.tell("app \(action)", "now \(status.state)", client)
        ledger.show(status, note: note)
        let isWanted = (status.state == "running") == (action != "stop")
        return isWanted ? .success : .refused
    }
}
