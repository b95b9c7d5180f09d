/// What a directory lies on, as far as the kernel knows without asking anybody.
public enum DirectoryPlace: Equatable, Sendable {
    /// The file system of its parent, or one that lies on a disk.
    case disk(device: UInt64)
    /// Something that is mounted when somebody opens it.
    case automount
    /// Nothing that anybody may do anything with: so a service manager covers what a service is not to see.
    case cover
    /// What the kernel, a program or another host makes up.
    case other

    /// The kind of a mount's file system, such as `btrfs`; nil for one that is not there any more.
    ///
    /// By the kernel's table, since statfs(2) asks the server.
    static func fileSystem(ofMount number: UInt64) throws(SystemError) -> Substring? {
        let table = "/proc/self/mountinfo"
        var lines = LineReader(try FileDescriptor(table, .read), maximumLine: 65536)
        var line: [UInt8] = []
        while try lines.next(into: &line) {
            // `36 35 98:0 /root /mnt rw,noatime shared:1 - ext4 /dev/sda rw`; spaces in names are escaped.
            let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard let first = fields.first, UInt64(first) == number else { continue }
            return fields.drop { $0 != "-" }.dropFirst().first
        }
        return nil
    }
}
