import ArgumentParser
import Linux

/// `bootgate-psp firmware`
struct FirmwareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firmware",
        abstract: "Give a firmware file what measuring its launches needs.",
        discussion: """
            Adds SEV metadata and a place for the table of kernel hashes, as OVMF's AmdSev build \\
            has them, to a firmware that lacks them: Debian's OVMF, SeaBIOS. What comes out is for \\
            measuring; boot the original.

            EXAMPLE
              bootgate-psp firmware --in /usr/share/OVMF/OVMF_CODE_4M.fd --out lab/firmware.fd
            """)

    @Option(name: .customLong("in"), help: ArgumentHelp("The firmware.", valueName: "file"))
    var input: String

    @Option(name: .customLong("out"), help: ArgumentHelp("What to write.", valueName: "file"))
    var output: String

    func run() throws {
        let annotated = try FirmwareImage(try LaunchOptions.read(input)).annotated()
        try PSPFault.writing { () throws(SystemError) in
            try File.writeAtomically(output, annotated, mode: 0o644)
        }
    }
}
