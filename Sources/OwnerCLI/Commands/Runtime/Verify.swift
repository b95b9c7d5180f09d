import AdminAPI
import ArgumentParser
import Bytes
import Evidence
import Linux
import Policy
import Verification

/// `bootgate verify`
struct Verify: OwnerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a running VM is still what its snapshot says.",
        discussion: """
            Asks the VM's agent for fresh evidence over a random nonce and this connection, and holds it \
            and every entry of the kernel's log against the snapshot. No broker is needed; where one \
            can be asked, the boot that it expects counts.

            Examples:
              bootgate verify --snapshot web-1.snapshot --url https://web-1.example:5555
              bootgate verify --snapshot web-1.snapshot --url https://10.0.2.15 --allow-insecure-tls \
            --application web-1.example --ssh web-1.example --policy web.toml
              bootgate verify --snapshot web-1.snapshot --url https://web-1.example --watch 60s

            Exit code 0: trusted. 1: not.
            """)

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "What the VM has to be: a file of `bootgate snapshot`, or of `cosmian_vm snapshot`.",
            valueName: "file"), completion: .file())
    var snapshot: String
    @OptionGroup var agent: AgentOptions
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Files that may be there too: lines of a path and a digest.", valueName: "file"),
        completion: .file())
    var whitelist: String?
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "A server that has to use the agent's certificate; the port is 443 unless given.",
            valueName: "host[:port]"))
    var application: [String] = []
    @Option(
        help: ArgumentHelp(
            "An SSH server whose keys the evidence has to name; the port is 22 unless given.",
            valueName: "host[:port]"))
    var ssh: [String] = []
    @Option(
        help: ArgumentHelp(
            "Look again and again, and say what changes.", valueName: "10s..1d"))
    var watch: DurationOption?
    @Option(
        help: ArgumentHelp(
            "Public key or certificate of whoever signed the snapshot.",
            discussion: "Default: your own key, where FILE.sig is there.", valueName: "file"),
        completion: .file())
    var signer: String?
    @OptionGroup var judging: RuntimeJudgeOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let watch, !(10...86_400).contains(watch.seconds) {
            throw ValidationError("--watch: expected 10s to 1d, got \(watch.text)")
        }
    }

    func execute() throws -> ExitStatus {
        let file = try SnapshotFile(snapshot, "--snapshot")
        let signature = try file.signatureFinding(signer: signer)
        var judge = try judging.judge()
        if let whitelist { judge.whitelist = try WhitelistFile.read(whitelist, "--whitelist") }
        let applications = try application.map { text throws(Failure) in
            try ServerAddress(
                text, defaultPort: ApplicationCheck.defaultPort, "--application")
        }
        let servers = try ssh.map { text throws(Failure) in
            try ServerAddress(text, defaultPort: SSHCheck.defaultPort, "--ssh")
        }
        if !servers.isEmpty { try SSHCheck.needProgram() }
        let client = try agent.client(hostName: file.snapshot.details?.hostName)
        var looking = Looking(
            look: RuntimeLook(client: client, judge: judge),
            verifier: try judge.verifier(of: file.snapshot), file: file, signature: signature,
            applications: applications, servers: servers)
        try looking.askBroker(global.client)
        let first = try looking.report()
        let status = first.print(asJSON: global.json)
        guard let watch else { return status }
        var changes = RuntimeChanges(after: first.outcome)
        while true {
            Clock.sleep(milliseconds: UInt64(watch.seconds) * 1000)
            // A broker that cannot be asked for a while does not take back what it said.
            try? looking.askBroker(global.client)
            changes.tell(looking.again(), asJSON: global.json)
        }
    }

    /// One look, and what is asked beside the agent.
    private struct Looking {
        let look: RuntimeLook
        var verifier: RuntimeVerifier
        let file: SnapshotFile
        let signature: Finding
        let applications: [ServerAddress]
        let servers: [ServerAddress]

        /// Learns which boot the broker expects: it changes with every reboot that was expected.
        mutating func askBroker(_ broker: AdminClient) throws(Failure) {
            guard let vm = file.snapshot.details?.vm,
                let boot = try broker.runtimeIfKnown(vm)?.boot
            else { return }
            verifier.expectedBoot = RuntimeBoot(boot)
        }

        func again() -> Result<VerifyReport, Failure> {
            do throws(Failure) { return .success(try report()) } catch { return .failure(error) }
        }

        func report() throws(Failure) -> VerifyReport {
            var outcome = try look.look(at: Clock.realtime, against: verifier)
            outcome.further.append(signature)
            let statement = outcome.statement
            outcome.further += applications.map {
                ApplicationCheck(address: $0, certificate: statement.certificate).finding()
            }
            outcome.further += servers.map {
                SSHCheck(address: $0, keys: statement.sshHostKeys).finding()
            }
            if applications.isEmpty {
                outcome.further.append(Self.unasked(ApplicationCheck.check, "--application"))
            }
            if servers.isEmpty { outcome.further.append(Self.unasked(SSHCheck.check, "--ssh")) }
            return VerifyReport(outcome: outcome, snapshot: file)
        }

        private static func unasked(_ check: String, _ option: String) -> Finding {
            Finding(
                check: check, outcome: .notChecked, expected: "a host", actual: "-",
                note: "none was named with \(option)")
        }
    }
}
