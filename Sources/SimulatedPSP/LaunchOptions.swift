import ArgumentParser
import Linux

/// The flags that say what is launched, the same for predicting and for serving.
struct LaunchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The firmware image.", valueName: "file"))
    var firmware: String

    @Option(help: ArgumentHelp("Number of virtual processors.", valueName: "n"))
    var vcpus: UInt32

    @Option(help: ArgumentHelp("The kernel.", valueName: "file"))
    var kernel: String

    @Option(help: ArgumentHelp("The initramfs.", valueName: "file"))
    var initrd: String

    @Option(help: ArgumentHelp("The kernel command line.", valueName: "text"))
    var append: String = ""

    /// The largest file that is read: an initramfs with everything in it is well below.
    static let fileLimit = 1 << 30

    /// Reads the files.
    func inputs() throws(PSPFault) -> LaunchInputs {
        LaunchInputs(
            firmware: try Self.read(firmware), vcpus: vcpus, kernel: try Self.read(kernel),
            initrd: try Self.read(initrd), commandLine: append)
    }

    private static func read(_ path: String) throws(PSPFault) -> [UInt8] {
        do throws(SystemError) {
            return try File.read(path, atMost: fileLimit)
        } catch {
            throw .unusable("\(error)")
        }
    }
}
