import ArgumentParser
import Glibc

/// `bootgate-psp`: flags and exit codes; what the commands do is in the other files.
@main
struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootgate-psp",
        abstract: "A software secure processor for rehearsals and tests.",
        discussion: """
            It signs SEV-SNP reports and TDX quotes with keys of its own, from outside the VM. Nothing trusts it \
            unless a configuration names its root key; never name it on a broker that guards \
            real data.

            EXAMPLES
              bootgate-psp init --dir lab/psp --product Milan
              bootgate-psp firmware --in OVMF.fd --out X.fd
              bootgate-psp measure --firmware X.fd --vcpus 2 --kernel vmlinuz \\
                --initrd initrd.img --append 'console=ttyS0'
              bootgate-psp serve --dir lab/psp --mailbox lab/mailbox --firmware X.fd --vcpus 2 \\
                --kernel vmlinuz --initrd initrd.img --append 'console=ttyS0' --host-data BASE64

            EXIT CODES
              0 done, 2 unusable input, 64 usage, 69 unavailable, 70 internal
            """,
        version: "0.1.0",
        subcommands: [
            InitCommand.self, FirmwareCommand.self, MeasureCommand.self, ServeCommand.self,
            FleetCommand.self, TDXCommand.self, HCLCommand.self, CRLCommand.self,
            EndorsementsCommand.self,
            VectorsCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let fault as PSPFault {
            let line = Array("bootgate-psp: \(fault)\n".utf8)
            _ = unsafe write(STDERR_FILENO, line, line.count)
            Glibc.exit(fault.exitCode)
        } catch {
            // Help and version end with 0, wrong usage with 64.
            exit(withError: error)
        }
    }
}
