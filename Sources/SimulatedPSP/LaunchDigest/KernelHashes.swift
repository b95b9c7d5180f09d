import Bytes

/// What is booted behind the firmware, and the table of its hashes that QEMU gives to the guest.
struct DirectBoot {
    var kernel: [UInt8]
    var initrd: [UInt8]
    /// The kernel command line, without the trailing NUL.
    var commandLine: String

    /// SHA-256 of each, in the table's order; the command line counts with its trailing NUL.
    func hashes(_ hashing: some Hashing) -> [(label: String, guid: String, hash: FixedBytes<32>)] {
        [
            (
                "command line", "97d02dd8-bd20-4c94-aa78-e7714d36ab2a",
                hashing.sha256(Array(commandLine.utf8) + [0])
            ),
            ("initrd", "44baf731-3a2f-4bd7-9af1-41e29169781d", hashing.sha256(initrd)),
            ("kernel", "4de79437-abd2-427f-b835-d5b172d2045b", hashing.sha256(kernel)),
        ]
    }

    /// The table with its padding, 176 bytes.
    ///
    /// Layout: QEMU, `target/i386/sev.c`, `SevHashTable`: GUID, u16 length; then for each hash GUID,
    /// u16 length, 32 bytes; little-endian, padded to a multiple of 16.
    func hashesTable(_ hashing: some Hashing) -> [UInt8] {
        let hashes = hashes(hashing)
        let entrySize = 16 + 2 + 32
        let size = 16 + 2 + hashes.count * entrySize
        var table = ByteWriter()
        table.raw(MixedGUID.bytes("9438d606-4f22-4cc9-b479-a793d411fd21"))
        table.littleEndian(UInt16(size))
        for entry in hashes {
            table.raw(MixedGUID.bytes(entry.guid))
            table.littleEndian(UInt16(entrySize))
            table.fixed(entry.hash)
        }
        table.zeros((16 - size % 16) % 16)
        return table.bytes
    }
}
