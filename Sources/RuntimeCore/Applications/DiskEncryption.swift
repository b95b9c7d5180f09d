import Linux

/// Whether what is written somewhere is encrypted before it reaches a disk.
struct DiskEncryption {
    /// Where sysfs is.
    var sysfs = "/sys"

    /// Devices of cryptsetup's that check what they hold and encrypt nothing.
    private static let plain = ["CRYPT-INTEGRITY-", "CRYPT-VERITY-"]
    /// How many layers of device mapper are looked through.
    private static let depthLimit = 8

    /// Nil where the device below `directory` is encrypted; else what it is.
    func problem(below directory: String) -> String? {
        let number: DeviceNumber
        do throws(SystemError) {
            number = try DeviceNumber(holding: directory)
        } catch {
            return error.description
        }
        if isEncrypted(number) { return nil }
        // tmpfs, overlays, btrfs: what lies below them does not show here.
        return number.major == 0
            ? "\(directory) lies on a file system that cannot be shown to be encrypted (\(number))"
            : "\(directory) lies on device \(number), which is not encrypted"
    }

    /// A mapping of cryptsetup's says so in its UUID (cryptsetup, docs/on-disk-format-luks2 and
    /// lib/libdevmapper.c); of others, such as LVM's, everything below has to be encrypted.
    func isEncrypted(_ device: DeviceNumber, _ depth: Int = depthLimit) -> Bool {
        guard depth > 0 else { return false }
        let base = "\(sysfs)/dev/block/\(device)"
        let uuid = text("\(base)/dm/uuid") ?? ""
        if uuid.hasPrefix("CRYPT-"), !Self.plain.contains(where: uuid.hasPrefix) { return true }
        guard let below = try? File.names(in: "\(base)/slaves"), !below.isEmpty else {
            return false
        }
        return below.allSatisfy { name in
            guard let number = text("\(base)/slaves/\(name)/dev").flatMap(DeviceNumber.init) else {
                return false
            }
            return isEncrypted(number, depth - 1)
        }
    }

    private func text(_ path: String) -> String? {
        guard let bytes = try? File.read(path, atMost: 256) else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
