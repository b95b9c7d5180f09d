import ArgumentParser
import Linux

/// `bootgate-psp tdx measure`
struct TDXMeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Compute MRTD and RTMR0 to RTMR3 of a launch, and its event log.")

    @OptionGroup var launch: TDXLaunchOptions

    @Option(help: ArgumentHelp("Where to write the event log.", valueName: "file"))
    var eventLog: String?

    func run() throws {
        let (domain, log) = try launch.launch()
        if let eventLog {
            guard let log else { throw PSPFault.unusable("--event-log: only with --firmware") }
            try PSPFault.writing { () throws(SystemError) in
                try File.writeAtomically(eventLog, log, mode: 0o644)
            }
        }
        print(JSONText.object(TDXLaunchOptions.members(domain)))
    }
}
