import ArgumentParser
import Linux

/// The owner's program.
struct Bootgate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootgate",
        abstract: "Decide which of your confidential VMs may open their disks.",
        discussion: """
            The first steps:
              bootgate init --address broker.example:7411
              bootgate policy add web.toml
              bootgate vm enroll web-1 --policy web --disk web-1.img
              bootgate launches web-1
              bootgate why web-1
              bootgate snapshot --url https://web-1.example:5555 --token-file token
              bootgate verify --snapshot cosmian_vm.snapshot --url https://web-1.example:5555

            Every command but completions takes --json, and --socket PATH (or BOOTGATE_SOCKET) for a broker that \
            listens elsewhere than at /run/bootgate/admin.sock.

            Exit codes: 0 yes; 1 no (refused, held); 2 input that cannot be used; 64 wrong usage; \
            69 no broker or agent; 70 a fault of bootgate itself.
            """,
        version: Version.text,
        subcommands: [
            Initialize.self, VMCommands.self, PolicyCommands.self, Launches.self, Why.self,
            TakeSnapshot.self, Verify.self, Reports.self, UpdateCommands.self, AppCommands.self,
            Appraise.self, Measure.self, EndorsementCommands.self, Completions.self,
        ])
}

/// The version of this build.
enum Version {
    static let text = "bootgate 0.1.0"
}

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The broker's admin socket.",
            discussion: "Default: $BOOTGATE_SOCKET, else /run/bootgate/admin.sock.",
            valueName: "path"),
        completion: .file())
    var socket: String?

    @Flag(help: "Print JSON instead of text.")
    var json = false

    /// The broker's socket by flag, environment or default.
    var client: AdminClient {
        AdminClient(
            socket: socket ?? Process.environment("BOOTGATE_SOCKET") ?? AdminClient.defaultSocket)
    }
}
