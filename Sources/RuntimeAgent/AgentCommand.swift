import Bytes
import Linux
import OpenSSL
import RuntimeCore
import Settings

/// The version that the program and its interface show.
enum AgentVersion {
    static let text = "0.1.0"
}

/// Why the agent cannot start.
struct StartError: Error, CustomStringConvertible {
    /// What the exit code says.
    enum Kind: Int32 {
        /// A file or setting cannot be used.
        case unusable = 2
        /// Something outside cannot be had: an address, the disk.
        case unavailable = 69
    }

    var kind: Kind
    var description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// Flags, and what their use ends in: 0 well, 2 unusable input, 64 usage, 69 unavailable.
struct AgentCommand {
    private static let usage = """
        usage: bootgate-agent [--config FILE] [--check-config]
               bootgate-agent --version | --help

        Proves what runs in this VM: serves evidence, the kernel's IMA log and snapshots by HTTPS on
        port 5555, and reports to the broker. Runs in the foreground until SIGTERM; SIGHUP reads the
        certificate anew.

          --config FILE    The config file; BOOTGATE_AGENT_CONFIG, else /etc/bootgate/agent.toml.
          --check-config   Check config and certificate, and leave.
          --version        Show the version.

        Examples:
          bootgate-agent --check-config
          curl -k https://127.0.0.1:5555/v1/about
          curl -k -H "Authorization: Bearer $(cat token)" -X POST https://127.0.0.1:5555/v1/snapshot

        See bootgate-agent(8) and agent.toml(5).
        """
    /// The largest config file, in bytes.
    private static let configLimit = 1 << 20
    private static let defaultConfig = "/etc/bootgate/agent.toml"

    private var config: String?
    private var checksOnly = false

    static func run(_ arguments: [String]) async -> Int32 {
        var command = AgentCommand()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h":
                Console.print(usage)
                return 0
            case "--version":
                Console.print("bootgate-agent \(AgentVersion.text), \(OpenSSLLibrary.version)")
                return 0
            case "--check-config": command.checksOnly = true
            case "--config" where !rest.isEmpty: command.config = rest.popFirst()
            case _ where argument.hasPrefix("--config="):
                command.config = String(argument.dropFirst("--config=".count))
            default:
                Console.printError("bootgate-agent: unexpected argument \(argument)\n\n\(usage)")
                return 64
            }
        }
        do {
            try await command.execute()
            return 0
        } catch {
            Console.printError("bootgate-agent: \(error)")
            return (error as? StartError)?.kind.rawValue ?? StartError.Kind.unavailable.rawValue
        }
    }

    private func execute() async throws {
        Process.keepFilesPrivate()
        try hardenProcess()
        let settings = try settings()
        if checksOnly {
            try Agent.check(settings.settings)
            Console.print("\(settings.path): sound")
            return
        }
        try await Agent(settings.settings).run()
    }

    /// Without a file of either kind the defaults count: an agent has no setting that it must have.
    private func settings() throws -> (path: String, settings: AgentSettings) {
        let named = config ?? Process.environment("BOOTGATE_AGENT_CONFIG")
        let path = named ?? Self.defaultConfig
        if named == nil, !File.exists(path) {
            return ("\(path) is not there; the defaults", AgentSettings())
        }
        do {
            let bytes = try File.read(path, atMost: Self.configLimit)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw StartError(.unusable, "\(path): expected UTF-8 text")
            }
            return (path, try AgentSettings(toml: text))
        } catch let error as SystemError {
            throw StartError(.unusable, error.description)
        } catch let error as SettingsError {
            throw StartError(.unusable, "\(path): \(error)")
        }
    }
}
