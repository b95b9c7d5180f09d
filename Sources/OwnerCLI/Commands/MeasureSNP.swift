public import ArgumentParser
import Bytes
import Linux
import OpenSSL
import Policy
public import Prediction

/// `bootgate measure snp`
struct MeasureSNP: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "snp",
        abstract: "Predict an SNP guest's launch digest (MEASUREMENT).",
        discussion: """
            Takes the firmware image and the number and type of processors; with --kernel also the \
            hashes that `kernel-hashes=on` brings into the digest. A digest without a kernel covers \
            the firmware only, and so does every digest of a firmware without a table for hashes.

            Examples:
              bootgate measure snp --firmware OVMF.fd --vcpus 2 --vmm ec2
              bootgate measure snp --firmware OVMF.fd --vcpus 4 --vcpu-type EPYC-Milan
                --kernel vmlinuz --initrd initrd.img --append "console=ttyS0"
                --policy-entry "image 7"
            """)

    @Option(
        help: ArgumentHelp(
            "The firmware, as QEMU's -bios gets it.", valueName: "file"), completion: .file())
    var firmware: String

    @Option(help: ArgumentHelp("How many processors the VM has, 1 to 4096.", valueName: "n"))
    var vcpus: Int

    @Option(
        name: .customLong("vcpu-type"),
        help: ArgumentHelp(
            "QEMU's -cpu: \(ProcessorType.names.joined(separator: ", ")), in any -vN.",
            valueName: "name"))
    var processorName: String?

    @Option(
        name: .customLong("vcpu-signature"),
        help: ArgumentHelp(
            "CPUID Fn0000_0001_EAX instead of a name, such as 0x00a00f11.", valueName: "number"))
    var processorSignature: String?

    @Option(help: ArgumentHelp("Who starts the VM: qemu, ec2 or gce.", valueName: "name"))
    var vmm = HypervisorType.qemu

    @Option(
        help: ArgumentHelp(
            "SEV_FEATURES: 0x1, or 0x21 with debug-swap.", valueName: "number"))
    var guestFeatures = "0x1"

    @Option(
        help: ArgumentHelp(
            "Digest of the firmware's own pages, if the file has only its last part.",
            valueName: "hex"))
    var firmwareDigest: String?

    @Flag(help: "Also print the ID block with this digest, and the SHA-384 that its key signs.")
    var idBlock = false

    @OptionGroup var kernel: KernelOptions
    @OptionGroup var entry: EntryOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard (1...4096).contains(vcpus) else {
            throw ValidationError("--vcpus: expected 1 to 4096, got \(vcpus)")
        }
        guard Number.unsigned(guestFeatures) != nil else {
            throw ValidationError("--guest-features: expected a number such as 0x1")
        }
        guard firmwareDigest.map({ FixedBytes<48>(hex: $0) != nil }) ?? true else {
            throw ValidationError("--firmware-digest: expected 96 hexadecimal digits")
        }
        guard processorName == nil || processorSignature == nil else {
            throw ValidationError("--vcpu-type and --vcpu-signature exclude each other")
        }
        if vmm == .qemu, processor == nil {
            throw ValidationError(
                "--vcpu-type: expected one of \(ProcessorType.names.joined(separator: ", ")); the "
                    + "processor's type is part of the launch digest under QEMU")
        }
    }

    private var processor: ProcessorType? {
        if let processorName { return ProcessorType(name: processorName) }
        return processorSignature.flatMap(Number.unsigned).flatMap { UInt32(exactly: $0) }
            .map(ProcessorType.init(signature:))
    }

    func execute() throws -> ExitStatus {
        let hashing = OpenSSLHashing()
        let image = try MeasuredFile.read(firmware, atMost: MeasuredFile.firmwareLimit)
        var launch = SNPLaunch(processorCount: vcpus, processor: processor)
        launch.hypervisor = vmm
        launch.features = Number.unsigned(guestFeatures) ?? 1
        launch.kernel = try kernel.hashes(hashing)
        let (parsed, digest) = try MeasuredFile.predicting(firmware: firmware) {
            () throws(PredictionError) in
            let parsed = try SNPFirmware(parsing: image)
            let measurer = SNPMeasurer(
                parsed, firmwareDigest: firmwareDigest.flatMap { FixedBytes(hex: $0) },
                hashing: hashing)
            return (parsed, try measurer.digest(of: launch))
        }
        var report = MeasurementReport(
            platform: "snp",
            values: [
                .init(
                    name: "launch digest", digest: digest.hex,
                    covers: SNPText.coverage(launch))
            ])
        report.inputs = inputs(launch, image, hashing)
        report.notes = SNPText.notes(launch, parsed)
        report.entry = PolicyEntry(
            table: "measurement", values: [("sha384", digest.hex)],
            covers: SNPText.coverage(launch))
        if idBlock {
            let block = IDBlock(launchDigest: digest)
            report.inputs.append(.init("ID block", Base64.encode(block.bytes)))
            report.inputs.append(.init("its SHA-384", block.digest(hashing: hashing).hex))
        }
        report.print(entry: entry.policyEntry, asJSON: global.json)
        return .success
    }

    private func inputs(
        _ launch: SNPLaunch, _ image: [UInt8], _ hashing: any Hashing
    ) -> [MeasurementReport.Input] {
        var inputs = [
            MeasurementReport.Input(
                "firmware",
                "\(firmware), \(image.count) bytes, SHA-256 \(hashing.sha256(image).hex)")
        ]
        for (name, value) in [
            ("kernel", kernel.kernel), ("initramfs", kernel.initrd),
            ("command line", kernel.append),
        ] {
            if let value { inputs.append(.init(name, value)) }
        }
        inputs.append(.init("launch", SNPText.launch(launch)))
        return inputs
    }
}

extension HypervisorType: ExpressibleByArgument {}

/// Numbers of the command line.
enum Number {
    /// Decimal digits, or hexadecimal ones behind `0x`.
    static func unsigned(_ text: String) -> UInt64? {
        text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    }
}
