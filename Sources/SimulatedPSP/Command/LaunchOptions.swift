import ArgumentParser
import Linux

/// The flags that say what is launched, the same for predicting and for serving.
struct LaunchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The firmware image, with what `bootgate-psp firmware` adds.", valueName: "file"))
    var firmware: String

    @Option(help: ArgumentHelp("Number of virtual processors, 1 to 4096.", valueName: "n"))
    var vcpus: UInt32 = 1

    @Option(help: ArgumentHelp("Their model, as QEMU names it.", valueName: "model"))
    var vcpuType = VCPUType.usual

    @Option(
        help: ArgumentHelp(
            "SEV_FEATURES: 0x1 is SNP alone, 0x21 with debug swap.", valueName: "bits"))
    var guestFeatures = Bits(value: 1)

    @Option(help: ArgumentHelp("Who launches: qemu, ec2 or gce.", valueName: "name"))
    var vmmType: VMMType = .qemu

    @Option(
        help: ArgumentHelp(
            "The kernel; without it no kernel hashes are measured.", valueName: "file"))
    var kernel: String?

    @Option(help: ArgumentHelp("The initramfs; an empty one if absent.", valueName: "file"))
    var initrd: String?

    @Option(help: ArgumentHelp("The kernel command line.", valueName: "text"))
    var append: String = ""

    /// The largest file that is read: an initramfs with everything in it is well below.
    static let fileLimit = 1 << 30

    func validate() throws {
        guard (1...4096).contains(vcpus) else { throw ValidationError("--vcpus is 1 to 4096") }
        guard kernel != nil || (initrd == nil && append.isEmpty) else {
            throw ValidationError("--initrd and --append are measured with --kernel only")
        }
    }

    /// Reads the files.
    func inputs() throws(PSPFault) -> LaunchInputs {
        var boot: DirectBoot?
        if let kernel {
            boot = DirectBoot(
                kernel: try Self.read(kernel), initrd: try initrd.map(Self.read) ?? [],
                commandLine: append)
        }
        return LaunchInputs(
            firmware: try FirmwareImage(try Self.read(firmware)), vcpus: vcpus, vcpu: vcpuType,
            guestFeatures: guestFeatures.value, vmm: vmmType, boot: boot)
    }

    /// Reads a file that was named on the command line.
    static func read(_ path: String) throws(PSPFault) -> [UInt8] {
        do throws(SystemError) {
            return try File.read(path, atMost: fileLimit)
        } catch {
            throw .unusable("\(error)")
        }
    }
}

/// Bits in hexadecimal or decimal digits.
struct Bits: ExpressibleByArgument {
    let value: UInt64

    init(value: UInt64) { self.value = value }

    init?(argument: String) {
        let isHexadecimal = argument.hasPrefix("0x")
        let digits = isHexadecimal ? argument.dropFirst(2) : argument[...]
        guard let value = UInt64(digits, radix: isHexadecimal ? 16 : 10) else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { "0x" + String(value, radix: 16) }
}
