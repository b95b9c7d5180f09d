import AdminAPI
import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL
import Policy

/// `bootgate snapshot`
struct TakeSnapshot: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Record what a running VM is, for `bootgate verify` and the broker.",
        discussion: """
            The agent lists every file with its digest; the list is kept only if fresh evidence of the \
            VM's processor names it and the kernel's log replays to the quoted register. Then it is \
            signed with a key of yours and registered with the broker.

            Examples:
              bootgate snapshot --url https://web-1.example:5555 --token-file token
              bootgate snapshot --url https://10.0.2.15 --allow-insecure-tls --token-file token \
            --output web-1.snapshot --no-register
            """)

    @OptionGroup var agent: AgentOptions
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Where it is written; FILE.sig beside it.", valueName: "file"),
        completion: .file())
    var output = "./cosmian_vm.snapshot"
    @Flag(
        help: ArgumentHelp(
            "Write only what `cosmian_vm` knows; such a file is not registered."))
    var cosmian = false
    @Option(
        help: ArgumentHelp(
            "The VM to register it for.", discussion: "Default: the one that the evidence names.",
            valueName: "name"))
    var vm: String?
    @Option(
        help: ArgumentHelp(
            "Your key, P-256 in PEM.",
            discussion: "Default: $XDG_CONFIG_HOME/bootgate/snapshot.key, made at first use.",
            valueName: "file"), completion: .file())
    var key: String?
    @Flag(name: .customLong("no-register"), help: "Do not tell the broker.")
    var noRegister = false
    @OptionGroup var judging: RuntimeJudgeOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("--output: expected a path") }
        guard !cosmian || vm == nil else {
            throw ValidationError("--cosmian: such a file is not registered; leave --vm out")
        }
    }

    func execute() throws -> ExitStatus {
        let vm = try vm.map(Names.vm)
        let client = try agent.client()
        let taker = SnapshotTaker(
            client: client, judge: try judging.judge(), showsProgress: !global.json)
        let taken = try taker.take(beside: output)
        guard taken.report.outcome.isTrusted else { return taken.report.print(asJSON: global.json) }
        let owner = try OwnerKey(key)
        let written = try SnapshotStore.keep(taken, at: output, isForCosmian: cosmian, owner)
        let registered = try register(written, vm ?? taken.report.outcome.statement.vm)
        let told = SnapshotReport(
            path: output, digest: written.digest, files: taken.file.snapshot.files?.count ?? 0,
            skipped: taken.file.snapshot.details?.skipped ?? 0, keyPath: owner.path,
            keyIsNew: owner.isNew, registered: registered, report: taken.report)
        told.print(asJSON: global.json)
        return .success
    }

    /// Nil where it is not to be registered.
    private func register(
        _ written: SnapshotStore.Written, _ vm: String?
    ) throws(Failure) -> SnapshotRecord? {
        guard !noRegister, !cosmian, let vm else { return nil }
        do throws(Failure) {
            return try SnapshotStore.register(written, for: vm, global.client)
        } catch {
            throw Failure(
                error.status,
                "\(output.shown) is written and signed, but not registered: "
                    + error.message,
                next: error.next.map { "\($0) Or say --no-register." })
        }
    }
}
