import Linux
import Protocol

/// The places where a gate.conf may be.
struct ConfigSources {
    private static let firmware = "/sys/firmware/qemu_fw_cfg/by_name/opt/bootgate/gate.conf/raw"
    private static let image = "/etc/bootgate/gate.conf"
    private static let volume = "/dev/disk/by-label/BOOTGATE"
    private static let systemPartitions = [
        "/dev/disk/by-partlabel/EFI\\x20System\\x20Partition", "/dev/disk/by-partlabel/esp",
        "/dev/disk/by-partlabel/ESP", "/dev/disk/by-label/ESP", "/dev/disk/by-label/EFI",
    ]

    /// Files that replace all usual places; empty for the usual ones.
    let files: [String]

    /// What can be read without mounting anything.
    func readable() -> [ConfigCandidate] {
        if !files.isEmpty { return files.compactMap { read($0, .file) } }
        return [read(Self.firmware, .firmware), read(Self.image, .image)].compactMap { $0 }
    }

    /// What lies on volumes that whoever owns the host may have attached.
    ///
    /// They are only looked at when nothing better was found, because the kernel has to parse a
    /// hostile file system for it: read-only, without device files or programs.
    func mountable() -> [ConfigCandidate] {
        guard files.isEmpty else { return [] }
        var found: [ConfigCandidate] = []
        if let candidate = mounted(Self.volume, "gate.conf", .volume) { found.append(candidate) }
        for partition in Self.systemPartitions {
            if let candidate = mounted(partition, "bootgate/gate.conf", .systemPartition) {
                found.append(candidate)
                break
            }
        }
        return found
    }

    private func read(_ path: String, _ source: ConfigCandidate.Source) -> ConfigCandidate? {
        guard let bytes = try? File.read(path, atMost: GateConfig.maximumLength) else {
            return nil
        }
        return ConfigCandidate(source: source, bytes: bytes)
    }

    private func mounted(
        _ device: String, _ file: String, _ source: ConfigCandidate.Source
    ) -> ConfigCandidate? {
        guard File.exists(device) else { return nil }
        let directory = "/run/bootgate/volume"
        try? File.makeDirectories(directory, mode: 0o700)
        defer { try? File.removeDirectory(directory) }
        for type in ["vfat", "iso9660"] {
            guard (try? Machine.mountReadOnly(device, at: directory, type: type)) != nil else {
                continue
            }
            defer { try? Machine.unmount(directory) }
            return read("\(directory)/\(file)", source)
        }
        return nil
    }
}
