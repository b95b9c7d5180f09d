import ArgumentParser
import Bytes
import Linux
import OpenSSL

/// `bootgate-psp tdx serve`
struct TDXServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer one trust domain's requests, through a mailbox file.",
        discussion: """
            Stands for one launch: MRTD, MRCONFIGID and RTMR0 to RTMR2 are fixed when it starts; \
            the guest may extend RTMR2 and RTMR3. It runs until SIGTERM and writes one line of JSON \
            for each answer.

            EXAMPLE
              bootgate-psp tdx serve --dir lab/tdx --mailbox lab/mailbox --firmware OVMF.fd \\
                --kernel vmlinuz --initrd initrd.img --config-digest 6mVJ1m7V0b2n...

            FAULTS
            \(Fault.help(for: .tdx))
            """)

    @Option(help: ArgumentHelp("The folder that `tdx init` filled.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("The mailbox; made anew.", valueName: "file"))
    var mailbox: String

    @OptionGroup var launch: TDXLaunchOptions

    @Option(
        help: ArgumentHelp(
            "32 bytes in Base64, which with 16 zero bytes make MRCONFIGID.", valueName: "base64"))
    var configDigest: String?

    @Option(help: ArgumentHelp("The version of the quotes: 4 or 5.", valueName: "n"))
    var quoteVersion: UInt16 = 4

    @Option(help: ArgumentHelp("The generation of TDX: 1.0 or 1.5.", valueName: "n"))
    var generation = "1.0"

    @Option(help: ArgumentHelp("TDATTRIBUTES.", valueName: "bits"))
    var attributes = Bits(value: 1 << 28)

    @Option(help: ArgumentHelp("Where to write the event log.", valueName: "file"))
    var eventLog: String?

    @Option(
        help: ArgumentHelp(
            "Where to write the vendor's collateral, as the faults want it.", valueName: "file"))
    var collateral: String?

    @Option(help: ArgumentHelp("What goes wrong, once for each; see FAULTS.", valueName: "fault"))
    var fault: [Fault] = []

    @Option(
        help: ArgumentHelp(
            "Let the faults of single answers begin after so many quotes.", valueName: "n"))
    var faultAfter: Int = 0

    @Option(
        help: ArgumentHelp("Where to append the log; standard output if absent.", valueName: "file")
    )
    var log: String?

    func validate() throws {
        guard let generation = TDXGeneration(rawValue: generation) else {
            throw ValidationError("--generation is 1.0 or 1.5")
        }
        guard quoteVersion == 5 || (quoteVersion == 4 && generation == .v1_0) else {
            throw ValidationError("--quote-version is 4 or 5, and 5 for generation 1.5")
        }
        if let configDigest, Base64.decode(configDigest)?.count != 32 {
            throw ValidationError("--config-digest is Base64 of 32 bytes")
        }
        try ServeCommand.validate(fault, for: .tdx)
    }

    func run() throws {
        let stop = StopSignal()
        let events = try EventLog(log)
        var (domain, measured) = try launch.launch()
        domain.attributes = attributes.value
        if let digest = configDigest.flatMap(Base64.decode) {
            domain.mrConfigID =
                FixedBytes(digest + [UInt8](repeating: 0, count: 16)) ?? FixedBytes()
        }
        let faults = Set(fault)
        let machine = try TDXFaults(faults).machine(
            try TDXDirectory(path: dir).read(), now: Clock.realtime)
        if let eventLog, let measured {
            try PSPFault.writing { () throws(SystemError) in
                try File.writeAtomically(eventLog, measured, mode: 0o644)
            }
        }
        if let collateral {
            try TDXFaults(faults).collateral(of: machine, now: Clock.realtime).write(to: collateral)
        }
        let guest = TDXGuest(
            domain, on: machine, version: quoteVersion,
            generation: TDXGeneration(rawValue: generation) ?? .v1_0, faults: faults,
            localKey: Random.secret(32))
        events.write(
            "launch",
            TDXLaunchOptions.members(guest.domain) + [
                ("mrconfigid", .string(domain.mrConfigID.hex)),
                ("fmspc", .string(machine.platform.fmspc.hex)),
            ])
        var service = try MailboxService(
            guest: guest,
            mailbox: try Mailbox(
                creating: mailbox, privilegeFloor: 0, provider: guest.provider,
                operations: guest.operations),
            log: events, faults: fault, faultAfter: faultAfter)
        try service.run(until: stop)
    }
}
