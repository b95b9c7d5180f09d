import Bytes

/// PE add-ons beside an image: more command line, device trees, microcode, initrds.
struct StubAddons: Sendable {
    /// All that the stub has the firmware load, which it does even with those it then ignores.
    private(set) var loaded: [StubFile] = []
    /// What they add to the command line, joined by spaces.
    private(set) var commandLine: StubText?
    private(set) var deviceTrees: [StubFile] = []
    private(set) var microcode: [StubFile] = []
    private(set) var initrds: [StubFile] = []

    /// Reads the global ones, then the image's own, each in the order of names.
    init(_ image: UnifiedKernelImage, _ boot: UKIBoot) throws(PredictionError) {
        let release = image.contents[.uname]
        for addon in boot.globalAddons.sorted(by: Self.precedes)
            + boot.addons.sorted(by: Self.precedes)
        {
            loaded.append(addon)
            let contents = try parsing(addon.name) { () throws(ParseError) in
                try UnifiedKernelImage.contents(ofAddon: addon.bytes)
            }
            // A kernel makes it a UKI, and another kernel's release somebody else's add-on.
            let isOther = release != nil && contents[.uname] != nil && contents[.uname] != release
            guard contents[.linux] == nil, !isOther else { continue }
            guard contents[.dtbauto] == nil else {
                throw .missing(
                    register: "PCR 12", input: "the machine that chooses among .dtbauto sections")
            }
            if let section = contents[.cmdline] {
                let text = try parsing(addon.name) { () throws(ParseError) in
                    try StubText(section: section, ".cmdline")
                }
                if commandLine == nil { commandLine = text } else { commandLine?.append(text) }
            }
            if let bytes = contents[.dtb] {
                deviceTrees.append(.init(name: addon.name, bytes: bytes))
            }
            if let bytes = contents[.ucode] {
                microcode.append(.init(name: addon.name, bytes: bytes))
            }
            if let bytes = contents[.initrd] {
                initrds.append(.init(name: addon.name, bytes: bytes))
            }
        }
        if commandLine?.isEmpty == true { commandLine = nil }
    }

    /// The order of names by their code units.
    static func precedes(_ one: StubFile, _ other: StubFile) -> Bool {
        one.name.utf16.lexicographicallyPrecedes(other.name.utf16)
    }
}
