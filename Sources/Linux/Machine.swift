import CLinux
import Glibc

/// The machine as a whole.
public enum Machine {
    /// Writes what is cached to the disks and switches off at once, without asking any service.
    public static func powerOff() throws(SystemError) {
        guard bootgate_power_off() == 0 else { throw .current("reboot RB_POWER_OFF") }
    }

    /// Writes what is cached to the disks and starts again at once, without asking any service.
    public static func reboot() throws(SystemError) {
        guard bootgate_reboot() == 0 else { throw .current("reboot RB_AUTOBOOT") }
    }

    /// What the first processor can do, in the words of `/proc/cpuinfo`.
    public static func cpuFlags(cpuinfo: String = "/proc/cpuinfo") throws(SystemError) -> Set<
        String
    > {
        let text = String(decoding: try File.read(cpuinfo, atMost: 1 << 22), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("flags") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return Set(line[line.index(after: colon)...].split(separator: " ").map(String.init))
        }
        return []
    }

    /// Mounts a file system without a device, such as configfs, where nothing is mounted yet.
    public static func mountVirtual(_ type: String, at directory: String) throws(SystemError) {
        let flags = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC)
        guard unsafe mount(type, directory, type, flags, nil) == 0 else {
            throw .current("mount", directory)
        }
    }

    /// Mounts the file system of a block device for reading only, executing nothing on it.
    public static func mountReadOnly(
        _ device: String, at directory: String, type: String
    ) throws(SystemError) {
        let flags = UInt(
            MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
        guard unsafe mount(device, directory, type, flags, nil) == 0 else {
            throw .current("mount", device)
        }
    }

    /// Takes a mounted file system away.
    public static func unmount(_ directory: String) throws(SystemError) {
        guard unsafe umount(directory) == 0 else { throw .current("umount", directory) }
    }
}
