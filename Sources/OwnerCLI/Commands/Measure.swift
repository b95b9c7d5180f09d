import ArgumentParser
import Bytes
import Linux
import Prediction

/// `bootgate measure`
struct Measure: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Predict what a VM will measure, from the files it boots; needs no broker.",
        discussion: """
            Exit codes: 0 with the value; 2 for a file that cannot be used, or a value that cannot \
            be known from what was given; 64 wrong usage.
            """,
        subcommands: [MeasureSNP.self, MeasureTDX.self, MeasureUKI.self])
}

/// Files that are measured, read with a bound and named in every failure.
enum MeasuredFile {
    static let firmwareLimit = FirmwareFile.maximumSize
    static let kernelLimit = 512 << 20
    static let initrdLimit = 1 << 30

    static func read(_ path: String, atMost limit: Int) throws(Failure) -> [UInt8] {
        do {
            return try File.read(path, atMost: limit)
        } catch {
            throw Failure(.unusableInput, "\(error)".shown)
        }
    }

    /// Says of which file a prediction failed, where it is the fault of one.
    static func predicting<T>(
        firmware path: String, _ body: () throws(PredictionError) -> T
    ) throws(Failure) -> T {
        do throws(PredictionError) {
            return try body()
        } catch {
            throw Failure(.unusableInput, "\(path.shown): \(error)", next: next(error))
        }
    }

    private static func next(_ error: PredictionError) -> String? {
        switch error {
        case .noKernelHashes:
            "Next: use an OVMF with a table for kernel hashes (edk2's OvmfPkg/AmdSev; Debian ships "
                + "none), or leave --kernel out and have PCRs or Secure Boot cover the kernel."
        case .noSEVMetadata, .noFirmwareTable:
            "Next: use the image that QEMU gets with -bios, such as Debian's /usr/share/ovmf/OVMF.fd."
        case .noTDXMetadata:
            "Next: use an image with TDVF metadata, such as Debian's /usr/share/ovmf/OVMF.fd."
        default: nil
        }
    }
}

/// A directly booted kernel and what comes with it.
struct KernelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The kernel, as QEMU's -kernel gets it.", valueName: "file"),
        completion: .file())
    var kernel: String?

    @Option(
        help: ArgumentHelp("The initramfs, as QEMU's -initrd gets it.", valueName: "file"),
        completion: .file())
    var initrd: String?

    @Option(
        help: ArgumentHelp("The kernel's command line, exactly.", valueName: "text"))
    var append: String?

    func validate() throws {
        if kernel == nil, initrd != nil || append != nil {
            throw ValidationError("--initrd and --append go with --kernel")
        }
    }

    /// The hashes that QEMU puts into the firmware's table; nil without a kernel.
    func hashes(_ hashing: any Hashing) throws(Failure) -> KernelHashes? {
        guard let kernel else { return nil }
        let initrd =
            if let path = initrd {
                try MeasuredFile.read(path, atMost: MeasuredFile.initrdLimit)
            } else {
                [UInt8]()
            }
        return KernelHashes(
            kernel: try MeasuredFile.read(kernel, atMost: MeasuredFile.kernelLimit),
            initrd: initrd, commandLine: append ?? "", hashing: hashing)
    }
}

/// What the printed policy entry is called.
struct EntryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Print a [[measurement]] or [[tpm.pcrs]] table under this label, ready for a policy.",
            valueName: "label"))
    var policyEntry: String?

    func validate() throws {
        guard let label = policyEntry else { return }
        let hasControl = label.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
        guard (1...128).contains(label.utf8.count), !hasControl else {
            throw ValidationError("--policy-entry: 1 to 128 bytes without control characters")
        }
    }
}
