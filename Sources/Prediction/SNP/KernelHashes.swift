public import Bytes

/// The table with which QEMU's `kernel-hashes=on` brings a directly booted kernel into the digest.
///
/// Layout: a GUID and a u16 length for the table and for each of its entries, then SHA-256. Source:
/// QEMU, `SevHashTable` in `target/i386/sev.c`.
public struct KernelHashes: Sendable, Equatable {
    /// With its padding to 16 bytes.
    static let tableSize = 176

    private let kernel: FixedBytes<32>
    private let initrd: FixedBytes<32>
    private let commandLine: FixedBytes<32>

    /// Hashes what a guest is booted with: no initrd is an empty one, and the command line is hashed
    /// with the zero byte behind it.
    public init(
        kernel: [UInt8], initrd: [UInt8] = [], commandLine: String = "", hashing: any Hashing
    ) {
        self.kernel = hashing.sha256(kernel)
        self.initrd = hashing.sha256(initrd)
        self.commandLine = hashing.sha256(Array(commandLine.utf8) + [0])
    }

    /// The page with the table at `offset`, which must leave room for it.
    func page(offset: Int) -> [UInt8] {
        precondition(offset + Self.tableSize <= pageSize)
        var page = ByteWriter()
        page.zeros(offset)
        page.fixed(Self.table.bytes)
        page.littleEndian(UInt16(168))
        for (guid, digest) in [
            (Self.commandLineEntry, commandLine), (Self.initrdEntry, initrd),
            (Self.kernelEntry, kernel),
        ] {
            page.fixed(guid.bytes)
            page.littleEndian(UInt16(50))
            page.fixed(digest)
        }
        page.zeros(pageSize - page.bytes.count)
        return page.bytes
    }

    private static let table = GUID("9438d606-4f22-4cc9-b479-a793d411fd21")
    private static let kernelEntry = GUID("4de79437-abd2-427f-b835-d5b172d2045b")
    private static let initrdEntry = GUID("44baf731-3a2f-4bd7-9af1-41e29169781d")
    private static let commandLineEntry = GUID("97d02dd8-bd20-4c94-aa78-e7714d36ab2a")
}
