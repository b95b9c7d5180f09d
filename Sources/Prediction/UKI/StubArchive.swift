import Bytes

/// The cpio archives that systemd-stub makes for the kernel, byte for byte.
///
/// Format: the kernel's "initramfs buffer format", newc; inodes count from 1, owners and times are 0.
/// Source: systemd 257, `src/boot/cpio.c`.
struct StubArchive {
    private var writer = ByteWriter()
    private var inode: UInt32 = 1
    private let directory: String
    private let fileMode: UInt32

    /// Starts an archive with `directory` and the directories above it; modes without the type.
    init(directory: String, directoryMode: UInt32, fileMode: UInt32) {
        self.directory = directory
        self.fileMode = fileMode
        let parts = directory.split(separator: "/")
        for count in 1...parts.count {
            let mode = count == parts.count ? directoryMode : 0o555
            entry(parts.prefix(count).joined(separator: "/"), mode: mode | 0o040000, [])
        }
    }

    mutating func file(_ name: String, _ content: [UInt8]) {
        entry("\(directory)/\(name)", mode: fileMode | 0o100000, content)
    }

    /// The archive with its end record.
    var bytes: [UInt8] {
        var copy = self
        copy.inode = 0
        copy.entry("TRAILER!!!", mode: 0, [])
        return copy.writer.bytes
    }

    private mutating func entry(_ name: String, mode: UInt32, _ content: [UInt8]) {
        writer.raw("070701".utf8)
        let nameSize = UInt32(name.utf8.count + 1)
        for (index, word) in [
            inode, mode, 0, 0, 1, 0, UInt32(content.count), 0, 0, 0, 0, nameSize, 0,
        ].enumerated() {
            let digits = String(word, radix: 16)
            let text = String(repeating: "0", count: 8 - digits.count) + digits
            // The end record is a constant of the stub, in capitals.
            writer.raw((index == 11 && inode == 0 ? text.uppercased() : text).utf8)
        }
        inode += 1
        writer.raw(name.utf8)
        writer.uint8(0)
        pad()
        writer.raw(content)
        pad()
    }

    private mutating func pad() {
        writer.zeros((4 - writer.bytes.count % 4) % 4)
    }
}
