/// The initrds that systemd-stub puts together for the kernel, in their order.
struct StubInitrds {
    private let image: UnifiedKernelImage
    private var archives: [[UInt8]] = []

    init(_ image: UnifiedKernelImage) {
        self.image = image
    }

    /// Adds an archive of files that lay beside the image.
    mutating func add(archive: [UInt8]) {
        archives.append(archive)
    }

    /// What the kernel gets: several are padded to 4 bytes and joined, a single one stays as it is.
    func combined(with addons: StubAddons) -> [UInt8]? {
        var all = addons.microcode.reversed().map(\.bytes)
        all += [UKISection.ucode, .initrd].compactMap { image.contents[$0] }
        all += archives
        for (section, name) in [
            (UKISection.pcrsig, "tpm2-pcr-signature.json"), (.pcrpkey, "tpm2-pcr-public-key.pem"),
            (.osrel, "os-release"), (.profile, "profile"),
        ] {
            guard let content = image.contents[section] else { continue }
            var archive = StubArchive(directory: ".extra", directoryMode: 0o555, fileMode: 0o444)
            archive.file(name, content)
            all.append(archive.bytes)
        }
        all += addons.initrds.map(\.bytes)
        all.removeAll(where: \.isEmpty)
        guard all.count > 1 else { return all.first }
        return all.reduce(into: []) { joined, part in
            joined += part
            joined += [UInt8](repeating: 0, count: (4 - part.count % 4) % 4)
        }
    }
}
