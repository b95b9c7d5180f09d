public import Bytes

/// What the PCRs hold when the kernel of a unified kernel image runs.
///
/// PCR 4 and 9 also belong to the firmware and to the kernel: as edk2 and Linux 6.12 write them. The
/// command line of an SMBIOS string is no input, because the stub ignores it in confidential VMs.
public struct UKIPrediction: Sendable {
    /// The registers that can be known, by their number.
    public private(set) var registers: [Int: PredictedRegister] = [:]
    /// Why the others cannot.
    public private(set) var unknown: [Int: PredictionError] = [:]

    /// The registers that are predicted.
    public static let indices = [4, 9, 11, 12, 13]

    private let algorithm: HashAlgorithm
    private let hashing: any Hashing

    /// Predicts all registers of one bank.
    public init(
        _ image: UnifiedKernelImage, _ boot: UKIBoot = UKIBoot(), bank algorithm: HashAlgorithm,
        hashing: any Hashing
    ) throws(PredictionError) {
        self.algorithm = algorithm
        self.hashing = hashing
        try measureSections(image)
        let addons = try StubAddons(image, boot)
        guard image.stubRelease == 257 else {
            let stub = image.stubVersion.map { "version \($0)" } ?? "no version"
            for index in Self.indices where index != 11 {
                unknown[index] = .missing(
                    register: "PCR \(index)",
                    input: "a systemd-stub 257, whose ways are known here; this image has \(stub)")
            }
            return
        }
        try measureImages(image, boot, addons)
        try measureStub(image, boot, addons)
    }

    /// PCR 11 after phases of the boot, each word measured in turn, as systemd-pcrphase does.
    public func kernelRegister(after phases: [String]) -> PredictedRegister? {
        var register = registers[11]
        for word in phases {
            register?.measure("phase \(word)", Array(word.utf8), hashing: hashing)
        }
        return register
    }

    /// PCR 11: name and content of each section.
    private mutating func measureSections(_ image: UnifiedKernelImage) throws(PredictionError) {
        guard image.contents[.dtbauto] == nil else {
            unknown[11] = .missing(
                register: "PCR 11", input: "the machine that chooses among .dtbauto sections")
            return
        }
        var register = PredictedRegister(algorithm)
        for section in image.sections where section != .pcrsig {
            let name = section.rawValue
            register.measure("\(name) (name)", Array(name.utf8) + [0], hashing: hashing)
            register.measure(name, image.contents[section] ?? [], hashing: hashing)
        }
        registers[11] = register
    }

    /// PCR 4: the firmware's own two marks, then each image that it loads.
    private mutating func measureImages(
        _ image: UnifiedKernelImage, _ boot: UKIBoot, _ addons: StubAddons
    ) throws(PredictionError) {
        var register = PredictedRegister(algorithm)
        register.measure(
            "EV_EFI_ACTION", Array("Calling EFI Application from Boot Option".utf8),
            hashing: hashing)
        register.measure("EV_SEPARATOR", [0, 0, 0, 0], hashing: hashing)
        for (index, loader) in boot.loaders.enumerated() {
            try load("loader \(index + 1)", loader, into: &register)
        }
        try load("UKI", image.pe.bytes, into: &register)
        for addon in addons.loaded {
            try load(addon.name, addon.bytes, into: &register)
        }
        try load("kernel", image.contents[.linux] ?? [], into: &register)
        registers[4] = register
    }

    private func load(
        _ name: String, _ bytes: [UInt8], into register: inout PredictedRegister
    ) throws(PredictionError) {
        let digest = try parsing(name) { () throws(ParseError) in
            try PEImage(parsing: bytes).authenticode(algorithm, hashing: hashing)
        }
        register.extend("\(name) (Authenticode)", digest, hashing: hashing)
    }

    /// PCR 12 and 13 by the stub, PCR 9 by the kernel from what the stub hands over.
    private mutating func measureStub(
        _ image: UnifiedKernelImage, _ boot: UKIBoot, _ addons: StubAddons
    ) throws(PredictionError) {
        var config = PredictedRegister(algorithm)
        var extensions = PredictedRegister(algorithm)
        if boot.profile != 0 {
            config.measure("profile", StubText("\(boot.profile)").bytes, hashing: hashing)
        }
        var line = try commandLine(image, boot, &config)
        if let addition = addons.commandLine {
            config.measure("command line of add-ons", addition.bytes, hashing: hashing)
            if line == nil { line = addition } else { line?.append(addition) }
        }
        for addon in addons.deviceTrees {
            config.measure("device tree of \(addon.name)", addon.bytes, hashing: hashing)
        }
        var initrds = StubInitrds(image)
        for (name, files, directory, modes) in Self.archives(boot) where !files.isEmpty {
            var archive = StubArchive(
                directory: directory, directoryMode: modes.directory, fileMode: modes.file)
            for file in files.sorted(by: StubAddons.precedes) {
                archive.file(file.name, file.bytes)
            }
            let bytes = archive.bytes
            if directory == ".extra/sysext" {
                extensions.measure(name, bytes, hashing: hashing)
            } else {
                config.measure(name, bytes, hashing: hashing)
            }
            initrds.add(archive: bytes)
        }
        for addon in addons.microcode.reversed() {
            config.measure("microcode of \(addon.name)", addon.bytes, hashing: hashing)
        }
        for addon in addons.initrds {
            config.measure("initrd of \(addon.name)", addon.bytes, hashing: hashing)
        }
        registers[12] = config
        registers[13] = extensions

        var kernel = PredictedRegister(algorithm)
        if let line { kernel.measure("command line", line.bytes, hashing: hashing) }
        if let initrd = initrds.combined(with: addons) {
            kernel.measure("initrd", initrd, hashing: hashing)
        }
        registers[9] = kernel
    }

    /// The command line that the kernel gets, without add-ons: a passed one is measured, and then
    /// replaces that of the image.
    private func commandLine(
        _ image: UnifiedKernelImage, _ boot: UKIBoot, _ config: inout PredictedRegister
    ) throws(PredictionError) -> StubText? {
        if let passed = boot.commandLine.map({ StubText($0) }), !passed.isEmpty, !boot.isSecureBoot
        {
            config.measure("command line passed", passed.bytes, hashing: hashing)
            return passed
        }
        guard let section = image.contents[.cmdline] else { return nil }
        return try parsing("UKI") { () throws(ParseError) in
            try StubText(section: section, ".cmdline")
        }
    }

    private typealias Modes = (directory: UInt32, file: UInt32)

    private static func archives(_ boot: UKIBoot) -> [(String, [StubFile], String, Modes)] {
        [
            ("credentials", boot.credentials, ".extra/credentials", (0o500, 0o400)),
            (
                "global credentials", boot.globalCredentials, ".extra/global_credentials",
                (0o500, 0o400)
            ),
            ("system extensions", boot.systemExtensions, ".extra/sysext", (0o555, 0o444)),
            (
                "configuration extensions", boot.configurationExtensions, ".extra/confext",
                (0o555, 0o444)
            ),
        ]
    }
}
