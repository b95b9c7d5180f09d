import AgentAPI
import ArgumentParser
import Bytes
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

        /// The name that was given, checked before anything is done.
        func named() throws(Failure) -> String? {
            guard let vm else { return nil }
            return try Names.vm(vm)
        }

        /// Puts the event into the ledger where the broker can be asked and knows the VM; says whether it did. By
        /// then it has happened, so nothing is thrown.
        func tell(_ kind: String, _ detail: String, _ vm: String?, _ agent: AgentClient) -> String {
            do throws(Failure) {
                let stated: String?
                if let vm { stated = vm } else { stated = try agent.about().vm }
                guard let stated else {
                    return "NOT in a ledger: the VM has no id; name it with --vm"
                }
                // It is the VM's word until here.
                let named = try Names.vm(stated)
                guard try global.client.runtimeIfKnown(named) != nil else {
                    return "NOT in the ledger: no broker that knows \(named) can be asked"
                }
                try global.client.tell(named, kind: kind, detail: detail)
                return "in the ledger of \(named)"
            } catch {
                return "NOT in the ledger: \(error.message)"
            }
        }
    }

    /// What came of a command.
    struct Answer: Encodable {
        let status: AppStatus
        /// What became of the ledger's entry; nil where there was to be none.
        var ledger: String?
        /// What to do now.
        let next: String

        private enum Key: String, CodingKey {
            case ledger
            case next
        }

        func encode(to encoder: any Encoder) throws {
            try status.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encodeIfPresent(ledger, forKey: .ledger)
            try container.encode(next, forKey: .next)
        }

        func print(asJSON: Bool) {
            Output.show(self, asJSON: asJSON, else: lines)
        }

        private var lines: [String] {
            let digest = status.configurationDigest ?? "none, or not shown without a login"
            let told = ledger.map { ["  told           \($0.shown)"] } ?? []
            return [
                "\(status.serviceName.shown) (\(status.serviceType.shown)): \(status.state.shown)",
                "  configuration  \(digest.shown)",
            ] + told + ["", "Next: \(next)"]
        }
    }

    /// `bootgate app init`
    struct AppInit: OwnerCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Give the application its configuration.",
            discussion: """
                The bytes are written as app.conf, for root alone, below `app_storage` of the VM's \
                agent.toml, and the application is started anew; nobody looks into them. Verify the VM \
                before you give it a secret.

                Exit code 0: it runs. 1: it does not.

                Example:
                  bootgate app init --conf app.toml --url https://web-1.example:5555 \
                --token-file token
                """)

        /// The longest that an agent takes, in bytes.
        private static let limit = 1 << 20

        @Option(
            name: [.customShort("c"), .customLong("conf"), .customLong("configuration")],
            help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file())
        var configuration: String
        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger

        func execute() throws -> ExitStatus {
            let vm = try ledger.named()
            let content = try EvidenceFile.read(configuration, "--conf", atMost: Self.limit)
            let client = try agent.client()
            let status = try client.configure(app: content)
            let digest = OpenSSLHashing().sha256(content).hex
            return AppCommands.end(
                status, isWanted: status.state == "running",
                ledger: ledger.tell("app init", "configuration \(digest)", vm, client),
                asJSON: ledger.global.json)
        }
    }

    /// `bootgate app start`
    struct AppStart: AppAction {
        static let configuration = CommandConfiguration(
            commandName: "start", abstract: "Start the application.",
            discussion: "Example:\n  bootgate app start --url https://web-1:5555 --token-file token"
        )

        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger
    }

    /// `bootgate app stop`
    struct AppStop: AppAction {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: "Stop the application.",
            discussion: "Example:\n  bootgate app stop --url https://web-1:5555 --token-file token")

        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger
    }

    /// `bootgate app restart`
    struct AppRestart: AppAction {
        static let configuration = CommandConfiguration(
            commandName: "restart", abstract: "Stop the application and start it again.",
            discussion:
                "Example:\n  bootgate app restart --url https://web-1:5555 --token-file token"
        )

        @OptionGroup var agent: AgentOptions
        @OptionGroup var ledger: Ledger
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
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let status = try agent.client().appStatus()
            return AppCommands.end(
                status, isWanted: status.state == "running", asJSON: global.json)
        }
    }

    /// Tells what came of a command.
    fileprivate static func end(
        _ status: AppStatus, isWanted: Bool, ledger: String? = nil, asJSON: Bool
    ) -> ExitStatus {
        let next =
            isWanted
            ? "nothing; `bootgate app status` says how it is later."
            : "see in the VM why: its journal, and that of bootgate-agent."
        Answer(status: status, ledger: ledger, next: next).print(asJSON: asJSON)
        return isWanted ? .success : .refused
    }
}

/// A command that starts or stops the application.
protocol AppAction: OwnerCommand {
    var agent: AgentOptions { get }
    var ledger: AppCommands.Ledger { get }
}

extension AppAction {
    func execute() throws -> ExitStatus {
        let action = Self.configuration.commandName ?? ""
        let vm = try ledger.named()
        let client = try agent.client()
        let status = try client.app(action)
        return AppCommands.end(
            status, isWanted: (status.state == "running") == (action != "stop"),
            ledger: ledger.tell("app \(action)", "now \(status.state)", vm, client),
            asJSON: ledger.global.json)
    }
}
