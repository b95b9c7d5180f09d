public import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL
import Policy
public import Prediction

/// `bootgate measure tdx`
struct MeasureTDX: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "tdx",
        abstract: "Predict a TD's MRTD, and its RTMR0 to RTMR2 along an event log.",
        discussion: """
            MRTD comes from the firmware alone. What else is measured, and in which order, is the \
            firmware's and the host's own, so RTMRs are predicted along the event log of one boot: what \
            is given as a file is computed anew, everything else is taken from the log, and listed.

            Examples:
              bootgate measure tdx --firmware OVMF.fd
              bootgate measure tdx --firmware OVMF.fd --event-log ccel.bin --uki image.efi
              bootgate measure tdx --firmware OVMF.fd --event-log ccel.bin
                --kernel vmlinuz --initrd initrd.img --append "console=ttyS0"
                --policy-entry "image 7"
            """)

    @Option(
        help: ArgumentHelp("The firmware, as QEMU's -bios gets it.", valueName: "file"),
        completion: .file())
    var firmware: String

    @Option(
        help: ArgumentHelp(
            "How the host adds pages: interleaved (Linux 6.16 and later) or two-pass.",
            valueName: "order"))
    var pageOrder = TDXFirmware.PageOrder.interleaved

    @Option(
        help: ArgumentHelp(
            "Event log of a boot with this firmware and host: /sys/firmware/acpi/tables/data/CCEL.",
            valueName: "file"),
        completion: .file())
    var eventLog: String?

    @Option(
        help: ArgumentHelp(
            "The unified kernel image that the firmware boots, nothing beside it.",
            valueName: "file"),
        completion: .file())
    var uki: String?

    @Option(
        name: .customLong("acpi"),
        help: ArgumentHelp(
            "ACPI data as QEMU gives it; three times: table-loader, acpi/rsdp, acpi/tables.",
            valueName: "file"),
        completion: .file())
    var acpi: [String] = []

    @Option(
        help: ArgumentHelp("The hand-off blocks that the host writes.", valueName: "file"),
        completion: .file())
    var tdHob: String?

    @OptionGroup var kernel: KernelOptions
    @OptionGroup var entry: EntryOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if uki != nil, kernel.kernel != nil {
            throw ValidationError("--uki and --kernel exclude each other")
        }
    }

    func execute() throws -> ExitStatus {
        let hashing = OpenSSLHashing()
        let image = try MeasuredFile.read(firmware, atMost: MeasuredFile.firmwareLimit)
        let boot = try readBoot()
        let log = try readLog()
        let prediction = try MeasuredFile.predicting(firmware: firmware) {
            () throws(PredictionError) in
            try TDXPrediction(
                TDXFirmware(parsing: image), pageOrder, boot: boot, log: log, hashing: hashing)
        }
        var report = MeasurementReport(
            platform: "tdx",
            values: [
                .init(name: "MRTD", digest: prediction.measurement.hex, covers: [.firmware])
            ]
                + prediction.registers.sorted { $0.key < $1.key }.map { index, register in
                    UKIText.value(
                        "RTMR\(index)", register, covers: TDXText.coverage(index, register))
                })
        report.inputs = [
            .init(
                "firmware",
                "\(firmware), \(image.count) bytes, SHA-256 \(hashing.sha256(image).hex)"),
            .init("page order", pageOrder.rawValue),
        ]
        if let eventLog { report.inputs.append(.init("event log", eventLog)) }
        report.notes = TDXText.notes(prediction)
        report.entry = TDXText.entry(prediction)
        report.print(entry: entry.policyEntry, asJSON: global.json)
        return .success
    }

    private func readBoot() throws(Failure) -> TDXBoot {
        var boot = TDXBoot()
        if let uki { boot.unifiedImage = try MeasuredFile.read(uki, atMost: PEImage.maximumSize) }
        if let path = kernel.kernel {
            boot.images = [try MeasuredFile.read(path, atMost: MeasuredFile.kernelLimit)]
            boot.commandLine = kernel.append
        }
        if let path = kernel.initrd {
            boot.initrd = try MeasuredFile.read(path, atMost: MeasuredFile.initrdLimit)
        }
        for path in acpi {
            boot.acpi.append(try MeasuredFile.read(path, atMost: MeasuredFile.firmwareLimit))
        }
        if let tdHob {
            boot.handOff = try MeasuredFile.read(tdHob, atMost: MeasuredFile.firmwareLimit)
        }
        return boot
    }

    private func readLog() throws(Failure) -> EventLog? {
        guard let path = eventLog else { return nil }
        let bytes = try MeasuredFile.read(path, atMost: EventLog.maximumByteCount)
        do {
            return try EventLog(parsing: bytes, from: .confidentialComputing)
        } catch {
            throw Failure(.unusableInput, "\(path.shown): \(error)")
        }
    }
}

extension TDXFirmware.PageOrder: ExpressibleByArgument {}
