import ArgumentParser
import Bytes
import Linux
import Logging
import OpenSSL
import Settings
import Store

/// The version that programs and the admin API show.
enum BrokerVersion {
    static let text = "0.1.0"
}

/// Flags, and what their use ends in: 0 well, 2 unusable input, 64 usage, 69 unavailable, 70 internal.
struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootgate-broker",
        abstract: "Releases disk keys to confidential VMs that prove what they boot.",
        discussion: """
            Runs in the foreground until SIGTERM. The admin API is on a Unix socket; use `bootgate`.

              bootgate-broker --config /etc/bootgate/broker.toml
              bootgate-broker --config /etc/bootgate/broker.toml --check
            """, version: BrokerVersion.text)

    @Option(help: "The config file; BOOTGATE_BROKER_CONFIG, else /etc/bootgate/broker.toml.")
    var config: String?

    @Flag(help: "Check config, certificate and keys, and leave.")
    var check = false

    @Flag(help: "Show the version.")
    var version = false

    /// The largest config file, in bytes.
    private static let configLimit = 1 << 20

    static func run() async -> Int32 {
        let command: BrokerCommand
        do {
            command = try parse()
        } catch {
            let isQuestion = exitCode(for: error) == .success
            let text = fullMessage(for: error)
            isQuestion ? Console.print(text) : Console.printError(text)
            return isQuestion ? 0 : 64
        }
        if command.version {
            Console.print("bootgate-broker \(BrokerVersion.text), \(OpenSSLLibrary.version)")
            return 0
        }
        do {
            try await command.execute()
            return 0
        } catch {
            Console.printError("bootgate-broker: \(error)")
            return code(for: error)
        }
    }

    private func execute() async throws {
        Process.keepFilesPrivate()
        try hardenProcess()
        let path =
            config ?? Process.environment("BOOTGATE_BROKER_CONFIG") ?? "/etc/bootgate/broker.toml"
        let bytes = try File.read(path, atMost: Self.configLimit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StartError(.unusable, "\(path): expected UTF-8 text")
        }
        let settings: BrokerSettings
        do {
            settings = try BrokerSettings(toml: text, directory: Self.directory(of: path))
        } catch {
            throw StartError(.unusable, "\(path): \(error)")
        }
        let broker = try Broker(settings)
        if check {
            _ = try WrappingKeyFile.read(settings.wrappingKey)
            Console.print("\(path): sound; pin = sha256:\(broker.pin.hex)")
            return
        }
        try await broker.run()
    }

    private static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    private static func code(for error: any Error) -> Int32 {
        switch error {
        case let error as StartError: error.kind.rawValue
        case is SystemError, is SettingsError: StartError.Kind.unusable.rawValue
        case is StoreError: StartError.Kind.unavailable.rawValue
        default: StartError.Kind.unavailable.rawValue
        }
    }
}
