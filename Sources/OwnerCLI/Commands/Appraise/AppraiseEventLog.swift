import ArgumentParser
import Bytes
import Evidence
import Policy
import Verification

/// `bootgate appraise eventlog`
struct AppraiseEventLog: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "eventlog",
        abstract: "Replay an event log against registers, and say what it proves.",
        discussion: """
            Registers are JSON: {"sha256": {"0": "hex", ...}}. For a TD's log the numbers are those \
            of the log: 1 to 4 for RTMR0 to RTMR3. Give values that a verified quote vouches for: a \
            log says nothing by itself. Of a policy the rules about logs are checked.

            Examples:
              bootgate appraise eventlog --log binary_bios_measurements --registers pcrs.json
              bootgate appraise eventlog --ccel --log CCEL --registers rtmrs.json
            """)

    @Option(help: ArgumentHelp("The log.", valueName: "file"), completion: .file())
    var log: String
    @Option(help: ArgumentHelp("The registers.", valueName: "file"), completion: .file())
    var registers: String
    @Flag(help: "The log is a TD's (CCEL).")
    var ccel = false
    @OptionGroup var policy: AppraisalPolicyOption
    @OptionGroup var time: AppraisalTime
    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let values = try PCRValueOptions.values(registers, "--registers")
        let result = EventLogVerifier().verify(
            bytes: try BootLogFile.read(log, "--log"), from: ccel ? .confidentialComputing : .tpm,
            registers: RegisterValues(values))
        let judged = try policy.judge(tpm: nil, boot: result.facts)
        return AppraisalReport(
            kind: "eventlog", title: "Event log", time: time.seconds, claims: .log(result.facts),
            findings: result.findings + judged.findings,
            holds: BootLogFile.replays(result) && judged.holds
        ).print(asJSON: global.json)
    }
}
