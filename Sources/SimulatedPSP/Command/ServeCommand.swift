import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL

/// `bootgate-psp serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer one guest's requests for reports, through a mailbox file.",
        discussion: """
            Stands for one launch: the launch digest, HOST_DATA and a fresh REPORT_ID are fixed \
            when it starts. It runs until SIGTERM and writes one line of JSON for each report.

            EXAMPLE
              bootgate-psp serve --dir lab/psp --mailbox lab/mailbox --firmware X.fd --vcpus 2 \\
                --kernel vmlinuz --initrd initrd.img --append 'console=ttyS0' \\
                --host-data 6mVJ1m7V0b2n... --log lab/psp.log

            FAULTS
            \(Fault.help(for: .snp))
            """)

    @Option(help: ArgumentHelp("The folder that `init` filled.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("The mailbox; made anew.", valueName: "file"))
    var mailbox: String

    @OptionGroup var launch: LaunchOptions

    @Option(help: ArgumentHelp("HOST_DATA, 32 bytes in Base64.", valueName: "base64"))
    var hostData: String?

    @Option(help: ArgumentHelp("The guest policy, as QEMU takes it.", valueName: "bits"))
    var policy: Bits = Bits(value: 0x30000)

    @Option(help: ArgumentHelp("The privilege level of the guest, 0 to 3.", valueName: "n"))
    var vmpl: UInt32 = 0

    @Option(help: ArgumentHelp("The version of the reports: 2, 3 or 5.", valueName: "n"))
    var reportVersion: UInt32 = 3

    @Option(
        help: ArgumentHelp(
            "What an SVSM's services say of themselves; without it there is no SVSM.",
            valueName: "file"))
    var svsmManifest: String?

    @Option(help: ArgumentHelp("What goes wrong, once for each; see FAULTS.", valueName: "fault"))
    var fault: [Fault] = []

    @Option(
        help: ArgumentHelp(
            "Let bad-signature, record and replay begin after so many reports.", valueName: "n"))
    var faultAfter: Int = 0

    @Option(
        help: ArgumentHelp("Where to append the log; standard output if absent.", valueName: "file")
    )
    var log: String?

    func validate() throws {
        guard vmpl <= 3 else { throw ValidationError("--vmpl is 0 to 3") }
        guard [2, 3, 5].contains(reportVersion) else {
            throw ValidationError("--report-version is 2, 3 or 5")
        }
        try Self.validate(fault, for: .snp)
        if let hostData, Base64.decode(hostData)?.count != 32 {
            throw ValidationError("--host-data is Base64 of 32 bytes")
        }
    }

    /// Refuses the other family's faults.
    static func validate(_ faults: [Fault], for family: Fault.Family) throws {
        for fault in faults where fault.family.map({ $0 != family }) ?? false {
            throw ValidationError("--fault \(fault.name) is not one of \(family.rawValue)")
        }
    }

    func run() throws {
        let stop = StopSignal()
        let log = try EventLog(log)
        let launcher = Launcher(
            measurement: try launch.inputs().measurement(hashing: OpenSSLHashing()),
            directory: PlatformDirectory(path: dir),
            hostData: hostData.flatMap(Base64.decode).flatMap(FixedBytes<32>.init),
            policy: policy.value, vmpl: vmpl, reportVersion: reportVersion, faults: Set(fault))
        let manifest = try svsmManifest.map(LaunchOptions.read)
        guard manifest?.count ?? 0 <= MailboxLayout.blobLimit else {
            throw PSPFault.unusable("--svsm-manifest: more than 32768 bytes")
        }
        let guest = SNPGuest(try launcher.launch(log: log), manifest: manifest)
        var service = try MailboxService(
            guest: guest,
            mailbox: try Mailbox(
                creating: mailbox, privilegeFloor: vmpl, provider: guest.provider,
                operations: guest.operations),
            log: log, faults: fault, faultAfter: faultAfter)
        try service.run(until: stop)
    }
}
