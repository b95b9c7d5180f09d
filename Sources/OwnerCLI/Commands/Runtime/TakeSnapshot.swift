import AdminAPI
import ArgumentParser
import Bytes
import Evidence
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
              bootgate snapshot --url https://web-1.example:5555 --token-file token --cancel

            After an interrupt the agent goes on with a snapshot that nobody waits for; --cancel ends it.
            """)

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
    @Flag(name: .customLong("no-register"), help: "Do not tell the broker.")
    var noRegister = false
    @Flag(help: "Only stop the snapshot that the agent makes, or delete the one that it has.")
    var cancel = false
    @OptionGroup var options: SnapshotOptions

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("--output: expected a path") }
        guard !cosmian || vm == nil && !options.replaceSigner else {
            throw ValidationError(
                "--cosmian: such a file is not registered; leave --vm and --replace-signer out")
        }
        guard !noRegister || !options.replaceSigner else {
            throw ValidationError("--no-register and --replace-signer exclude each other")
        }
    }

    func execute() throws -> ExitStatus {
        let vm = try vm.map(Names.vm)
        let client = try options.agent.client()
        if cancel { return try end(client) }
        guard let taken = try options.take(of: vm, from: client, for: output) else {
            return .refused
        }
        let owner = try OwnerKey(options.key)
        let written = try SnapshotStore.keep(taken, at: output, isForCosmian: cosmian, owner)
        let registered = try register(written, vm ?? taken.report.outcome.statement.vm)
        let told = SnapshotReport(
            path: output, digest: written.digest, files: taken.file.snapshot.files?.count ?? 0,
            skipped: taken.file.snapshot.details?.skipped ?? 0, keyPath: owner.path,
            keyIsNew: owner.isNew, registered: registered, place: options.agent.words(client),
            report: taken.report)
        told.print(asJSON: options.global.json)
        return .success
    }

    private func end(_ client: AgentClient) throws(Failure) -> ExitStatus {
        try options.judging.judge().admit(client)
        let status = try client.cancelSnapshot()
        Output.show(
            status, asJSON: options.global.json,
            else: [
                "The agent at \(client.address) makes no snapshot now, and has none."
            ])
        return .success
    }

    /// Nil where it is not to be registered.
    private func register(
        _ written: SnapshotStore.Written, _ vm: String?
    ) throws(Failure) -> SnapshotRecord? {
        guard !noRegister, !cosmian, let vm else { return nil }
        do throws(Failure) {
            return try SnapshotStore.register(
                written, for: vm, replacesSigner: options.replaceSigner, options.global.client)
        } catch {
            throw Failure(
                error.status, error.message, next: error.next.map { "\($0) Or say --no-register." })
        }
    }
}
