import ArgumentParser
import Bytes
import OpenSSL

/// The flags that say what a trust domain is launched with.
struct TDXLaunchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The firmware image; MRTD is its SHA-384.", valueName: "file"))
    var firmware: String?

    @Option(help: ArgumentHelp("The kernel, measured to RTMR1.", valueName: "file"))
    var kernel: String?

    @Option(help: ArgumentHelp("The initramfs, measured to RTMR2.", valueName: "file"))
    var initrd: String?

    @Option(help: ArgumentHelp("The kernel command line, measured to RTMR2.", valueName: "text"))
    var append: String = ""

    @Option(help: ArgumentHelp("MRTD, in place of the firmware's.", valueName: "hex"))
    var mrtd: String?

    @Option(
        help: ArgumentHelp(
            "RTMR0 to RTMR3 as N=HEX, in place of what was measured.", valueName: "register"))
    var rtmr: [Register] = []

    /// A register's number and content.
    struct Register: ExpressibleByArgument {
        let number: Int
        let value: FixedBytes<48>

        init?(argument: String) {
            let sides = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let number = Int(sides[0]), (0...3).contains(number),
                let value = FixedBytes<48>(hex: sides[1])
            else { return nil }
            self.number = number
            self.value = value
        }
    }

    func validate() throws {
        guard firmware != nil || mrtd != nil else {
            throw ValidationError("--firmware or --mrtd is needed")
        }
        if let mrtd, FixedBytes<48>(hex: mrtd) == nil {
            throw ValidationError("--mrtd: expected 96 hexadecimal digits")
        }
        guard firmware != nil || kernel == nil else {
            throw ValidationError("--kernel is measured with --firmware only")
        }
        guard kernel != nil || (initrd == nil && append.isEmpty) else {
            throw ValidationError("--initrd and --append are measured with --kernel only")
        }
    }

    /// The domain as it is launched, and its event log; nil without firmware.
    func launch() throws(PSPFault) -> (domain: TrustDomain, log: [UInt8]?) {
        var domain = TrustDomain()
        var log: [UInt8]?
        if let firmware {
            var boot: DirectBoot?
            if let kernel {
                boot = DirectBoot(
                    kernel: try LaunchOptions.read(kernel),
                    initrd: try initrd.map(LaunchOptions.read) ?? [], commandLine: append)
            }
            let measured = MeasuredLaunch(
                firmware: try LaunchOptions.read(firmware), boot: boot, hashing: OpenSSLHashing())
            domain.mrTD = measured.mrTD
            domain.rtmr = measured.log.registers
            log = measured.log.bytes
        }
        if let mrtd { domain.mrTD = FixedBytes(hex: mrtd) ?? FixedBytes() }
        for register in rtmr { domain.rtmr[register.number] = register.value }
        return (domain, log)
    }

    /// The registers for a log or a script.
    static func members(_ domain: TrustDomain) -> [(String, JSONText.Value)] {
        [("mrtd", .string(domain.mrTD.hex))]
            + domain.rtmr.enumerated().map { ("rtmr\($0)", .string($1.hex)) }
    }
}
