public import ArgumentParser
public import Bytes
import Linux
import OpenSSL
import Policy
import Prediction

/// `bootgate measure uki`
struct MeasureUKI: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "uki",
        abstract: "Predict the PCRs that a unified kernel image leaves behind.",
        discussion: """
            PCR 4 holds the images that the firmware loads, 9 what the kernel gets from the stub, 11 \
            the image's sections, 12 a passed command line, credentials and add-ons, 13 system \
            extensions. All but PCR 11 are known for systemd-stub 257 (Debian 13), started as the first \
            boot entry of an edk2 firmware.

            Examples:
              bootgate measure uki image.efi
              bootgate measure uki image.efi --pcr 11 --phase enter-initrd
              bootgate measure uki image.efi --policy-entry "image 7"
              bootgate measure uki image.efi --loader systemd-bootx64.efi --secure-boot
              bootgate measure uki image.efi --credential image.efi.extra.d/a.cred --json
            """)

    @Argument(help: "The unified kernel image.", completion: .file(extensions: ["efi"]))
    var image: String

    @Option(
        name: .customLong("pcr"),
        help: ArgumentHelp("Only this register; may be repeated.", valueName: "n"))
    var registers: [Int] = []

    @Option(help: ArgumentHelp("The bank: sha1, sha256, sha384 or sha512.", valueName: "name"))
    var bank = HashAlgorithm.sha256

    @Option(
        help: ArgumentHelp(
            "PCR 11 after these words of systemd-pcrphase, such as enter-initrd:leave-initrd.",
            discussion: "Without it: before any, and after each of those that systemd measures.",
            valueName: "words"))
    var phase: String?

    @Option(help: ArgumentHelp("Number of the image's profile.", valueName: "n"))
    var profile = 0

    @Option(
        help: ArgumentHelp(
            "The command line that a loader passes, instead of the image's own.", valueName: "text")
    )
    var append: String?

    @Flag(help: "Secure Boot is on, so the stub ignores a passed command line.")
    var secureBoot = false

    @Option(
        name: .customLong("loader"),
        help: ArgumentHelp(
            "An image that is started before, such as shim; may be repeated, in order.",
            valueName: "file"),
        completion: .file())
    var loaders: [String] = []

    @OptionGroup var beside: StubFileOptions
    @OptionGroup var entry: EntryOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        for register in registers where !UKIPrediction.indices.contains(register) {
            throw ValidationError(
                "--pcr: expected one of "
                    + UKIPrediction.indices.map(String.init).joined(separator: ", "))
        }
        guard (0...255).contains(profile) else {
            throw ValidationError("--profile: expected 0 to 255, got \(profile)")
        }
        if let phase, Self.words(phase) == nil {
            throw ValidationError("--phase: expected words with `:` between them")
        }
    }

    func execute() throws -> ExitStatus {
        let hashing = OpenSSLHashing()
        let bytes = try MeasuredFile.read(image, atMost: PEImage.maximumSize)
        var boot = UKIBoot()
        boot.profile = profile
        boot.commandLine = append
        boot.isSecureBoot = secureBoot
        for loader in loaders {
            boot.loaders.append(try MeasuredFile.read(loader, atMost: PEImage.maximumSize))
        }
        try beside.read(into: &boot)
        let (parsed, prediction) = try MeasuredFile.predicting(firmware: image) {
            () throws(PredictionError) in
            let parsed = try UnifiedKernelImage(parsing: bytes, profile: profile)
            return (
                parsed, try UKIPrediction(parsed, boot, bank: bank, hashing: hashing)
            )
        }
        var values: [MeasurementReport.Value] = []
        var notes: [String] = []
        for index in registers.isEmpty ? UKIPrediction.indices : registers {
            if let fault = prediction.unknown[index] {
                guard registers.isEmpty else {
                    throw Failure(.unusableInput, "\(image.shown): \(fault)")
                }
                notes.append("\(fault)")
            } else if index == 11 {
                values += phaseValues(prediction)
            } else if let register = prediction.registers[index] {
                values.append(
                    UKIText.value("PCR \(index)", register, covers: UKIText.coverage(index)))
            }
        }
        var report = MeasurementReport(platform: "uki", values: values)
        report.inputs = [
            .init("image", "\(image), SHA-256 \(hashing.sha256(bytes).hex)"),
            .init("stub", "systemd-stub \(parsed.stubVersion ?? "of unknown version")"),
            .init("bank", "\(bank)"),
        ]
        report.notes = notes + UKIText.notes
        report.entry = policyEntry(prediction)
        report.print(entry: entry.policyEntry, asJSON: global.json)
        return .success
    }

    /// Without `--phase`, PCR 11 is left out: only the owner knows how far the boot is when it is quoted.
    private func policyEntry(_ prediction: UKIPrediction) -> PolicyEntry {
        let indices = registers.isEmpty ? UKIPrediction.indices : registers
        var values: [(key: String, value: String)] = []
        for index in indices {
            let register =
                if index == 11 {
                    phase.flatMap(Self.words).flatMap(prediction.kernelRegister(after:))
                } else {
                    prediction.registers[index]
                }
            if let register { values.append(("\(index)", Hex.encode(register.value))) }
        }
        return PolicyEntry(
            table: "tpm.pcrs", values: values, bank: bank.rawValue,
            covers: UKIText.coverage(of: Set(values.compactMap { Int($0.key) })))
    }

    /// PCR 11 after the wanted phase, or at each point at which systemd's own tools predict it.
    private func phaseValues(_ prediction: UKIPrediction) -> [MeasurementReport.Value] {
        let standard = ["enter-initrd", "leave-initrd", "sysinit", "ready"]
        let paths =
            phase.flatMap(Self.words).map { [$0] }
            ?? (0...standard.count).map { Array(standard.prefix($0)) }
        return paths.compactMap { words in
            prediction.kernelRegister(after: words).map { register in
                let name = words.isEmpty ? "PCR 11" : "PCR 11 " + words.joined(separator: ":")
                // What a phase adds is in its name.
                let isFirst = words == paths.first
                return UKIText.value(
                    name, register, covers: isFirst ? UKIText.coverage(11) : [],
                    showsEvents: isFirst)
            }
        }
    }

    private static func words(_ text: String) -> [String]? {
        let words = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        return words.allSatisfy { !$0.isEmpty } ? words : nil
    }
}

/// Files that systemd-stub picks up beside an image.
struct StubFileOptions: ParsableArguments {
    @Option(
        name: .customLong("addon"),
        help: ArgumentHelp(
            "An *.addon.efi of the image's own folder; may be repeated.", valueName: "file"),
        completion: .file())
    var addons: [String] = []

    @Option(
        name: .customLong("global-addon"),
        help: ArgumentHelp("An *.addon.efi of the ESP's loader/addons.", valueName: "file"),
        completion: .file())
    var globalAddons: [String] = []

    @Option(
        name: .customLong("credential"),
        help: ArgumentHelp("A *.cred of the image's own folder.", valueName: "file"),
        completion: .file())
    var credentials: [String] = []

    @Option(
        name: .customLong("global-credential"),
        help: ArgumentHelp("A *.cred of the ESP's loader/credentials.", valueName: "file"),
        completion: .file())
    var globalCredentials: [String] = []

    @Option(
        name: .customLong("sysext"),
        help: ArgumentHelp("A *.raw of the image's own folder.", valueName: "file"),
        completion: .file())
    var systemExtensions: [String] = []

    @Option(
        name: .customLong("confext"),
        help: ArgumentHelp("A *.confext.raw of the image's own folder.", valueName: "file"),
        completion: .file())
    var configurationExtensions: [String] = []

    func read(into boot: inout UKIBoot) throws(Failure) {
        boot.addons = try Self.files(addons, suffix: ".addon.efi")
        boot.globalAddons = try Self.files(globalAddons, suffix: ".addon.efi")
        boot.credentials = try Self.files(credentials, suffix: ".cred")
        boot.globalCredentials = try Self.files(globalCredentials, suffix: ".cred")
        boot.systemExtensions = try Self.files(systemExtensions, suffix: ".raw")
        boot.configurationExtensions = try Self.files(
            configurationExtensions, suffix: ".confext.raw")
    }

    /// The stub overlooks files that are named otherwise, so predicting with them would mislead.
    private static func files(
        _ paths: [String], suffix: String
    ) throws(Failure) -> [StubFile] {
        var files: [StubFile] = []
        for path in paths {
            let name = String(
                path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
            guard name.lowercased().hasSuffix(suffix), name.utf8.count <= 255,
                name.unicodeScalars.allSatisfy(\.isASCII), !name.hasPrefix(".")
            else {
                throw Failure(
                    .unusableInput,
                    "\(path.shown): the stub takes names in ASCII that end in \(suffix) only")
            }
            files.append(
                StubFile(
                    name: name,
                    bytes: try MeasuredFile.read(path, atMost: MeasuredFile.initrdLimit)))
        }
        return files
    }
}

extension HashAlgorithm: ExpressibleByArgument {}
