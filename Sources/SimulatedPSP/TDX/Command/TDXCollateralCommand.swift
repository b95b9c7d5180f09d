import ArgumentParser
import Linux

/// `bootgate-psp tdx collateral`
struct TDXCollateralCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collateral",
        abstract: "Write what the vendor says of a machine: TCB info, identities, lists.",
        discussion: """
            One JSON object with the exact signed texts, or with --folder the answers of Intel's \
            service one by one, as a broker's folder of endorsements has them.

            EXAMPLE
              bootgate-psp tdx collateral --dir lab/tdx --out lab/collateral.json \\
                --fault platform-status=OutOfDate

            FAULTS
            \(Fault.help(for: .tdx))
            """)

    @Option(help: ArgumentHelp("The folder that `tdx init` filled.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String?

    @Option(
        help: ArgumentHelp("A broker's folder of endorsements.", valueName: "folder"))
    var folder: String?

    @Option(help: ArgumentHelp("What goes wrong, once for each; see FAULTS.", valueName: "fault"))
    var fault: [Fault] = []

    func validate() throws {
        guard out != nil || folder != nil else {
            throw ValidationError("--out or --folder is needed")
        }
        try ServeCommand.validate(fault, for: .tdx)
    }

    func run() throws {
        let machine = try TDXDirectory(path: dir).read()
        let collateral = try TDXFaults(Set(fault)).collateral(of: machine, now: Clock.realtime)
        if let out { try collateral.write(to: out) }
        if let folder { try collateral.write(folder: folder, fmspc: machine.platform.fmspc) }
    }
}
