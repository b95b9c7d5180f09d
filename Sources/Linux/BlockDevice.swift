import CLinux
import Glibc

/// The kernel's numbers for a device.
public struct DeviceNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The driver.
    public let major: UInt32
    /// The device of that driver.
    public let minor: UInt32

    /// Names a device.
    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// Reads `254:0`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = UInt32(parts[0]), let minor = UInt32(parts[1]) else {
            return nil
        }
        self.init(major: major, minor: minor)
    }

    /// The device that a file lies on.
    public init(holding path: String) throws(SystemError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .current("stat", path) }
        self.init(
            major: bootgate_major(status.st_dev), minor: bootgate_minor(status.st_dev))
    }

    /// The device that a device node stands for; symbolic links are followed.
    public init(node path: String) throws(SystemError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .current("stat", path) }
        guard status.st_mode & S_IFMT == S_IFBLK else {
            throw SystemError(call: "stat", subject: path, code: ENOTBLK)
        }
        self.init(
            major: bootgate_major(status.st_rdev), minor: bootgate_minor(status.st_rdev))
    }

    /// Orders by major, then minor.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// Such as `254:0`.
    public var description: String { "\(major):\(minor)" }
}

/// A disk or partition that the kernel shows.
public struct BlockDevice: Equatable, Sendable {
    /// The kernel's name, such as `vda1`.
    public let name: String
    /// Its numbers.
    public let number: DeviceNumber

    /// The node below `/dev`.
    public var path: String { "/dev/\(name)" }

    /// All block devices that hold data of their own, sorted by number: no RAM disks, no empty loop
    /// devices, no optical drives without a medium.
    public static func all(
        sysfs: String = "/sys/class/block"
    ) throws(SystemError) -> [BlockDevice] {
        var devices: [BlockDevice] = []
        for name in try File.names(in: sysfs) where !name.hasPrefix("ram") {
            guard let number = attribute("\(sysfs)/\(name)/dev").flatMap(DeviceNumber.init),
                let size = attribute("\(sysfs)/\(name)/size").flatMap({ UInt64($0) }), size > 0
            else { continue }
            devices.append(BlockDevice(name: name, number: number))
        }
        return devices.sorted { $0.number < $1.number }
    }

    private static func attribute(_ path: String) -> String? {
        guard let bytes = try? File.read(path, atMost: 64) else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

extension FileDescriptor {
    /// How many bytes the file or block device holds.
    public borrowing func byteCount() throws(SystemError) -> UInt64 {
        var bytes: UInt64 = 0
        if unsafe bootgate_block_size(rawValue, &bytes) == 0 { return bytes }
        var status = stat()
        guard unsafe fstat(rawValue, &status) == 0 else { throw .current("fstat") }
        return UInt64(max(0, status.st_size))
    }
}
