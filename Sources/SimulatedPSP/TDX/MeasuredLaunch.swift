import Bytes

/// What a TDX firmware would measure of a launch: the registers, and the log that leads to them.
struct MeasuredLaunch {
    let mrTD: FixedBytes<48>
    let log: CCEventLog

    /// The event log of firmware, kernel, initramfs and command line, as TDVF and Linux's EFI stub
    /// measure them.
    ///
    /// MRTD is SHA-384 of the firmware file: the TDX module's page-wise measurement is not imitated.
    init(firmware: [UInt8], boot: DirectBoot?, hashing: some Hashing) {
        mrTD = hashing.sha384(firmware)
        var log = CCEventLog(hashing: hashing)
        var blob = ByteWriter()
        let name = Array("simulated firmware".utf8)
        blob.uint8(UInt8(name.count))
        blob.raw(name)
        blob.littleEndian(1 << 32 - UInt64(firmware.count))
        blob.littleEndian(UInt64(firmware.count))
        log.measure(0, .firmware, data: blob.bytes, digest: mrTD)
        log.measure(0, .variable, data: Self.secureBootOff)
        log.measure(0, .separator, data: [0, 0, 0, 0])
        log.measure(1, .separator, data: [0, 0, 0, 0])
        if let boot {
            var image = ByteWriter()
            image.zeros(8)
            image.littleEndian(UInt64(boot.kernel.count))
            image.zeros(8 + 8)
            log.measure(
                1, .bootApplication, data: image.bytes,
                digest: hashing.sha384(PEImage.hashed(boot.kernel)))
            let options = boot.commandLine.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
            log.measure(
                2, .tagged, data: Self.tagged(0x8f3b_22ed, "LOADED_IMAGE::LoadOptions"),
                digest: hashing.sha384(options + [0, 0]))
            log.measure(
                2, .tagged, data: Self.tagged(0x8f3b_22ec, "Linux initrd"),
                digest: hashing.sha384(boot.initrd))
        }
        self.log = log
    }

    /// UEFI_VARIABLE_DATA of `SecureBoot` = 0.
    private static var secureBootOff: [UInt8] {
        var variable = ByteWriter()
        variable.raw(MixedGUID.bytes("8be4df61-93ca-11d2-aa0d-00e098032b8c"))
        let name = Array("SecureBoot".utf8)
        variable.littleEndian(UInt64(name.count))
        variable.littleEndian(UInt64(1))
        for character in name { variable.raw([character, 0]) }
        variable.uint8(0)
        return variable.bytes
    }

    /// TCG_PCClientTaggedEvent.
    private static func tagged(_ id: UInt32, _ text: String) -> [UInt8] {
        var event = ByteWriter()
        event.littleEndian(id)
        event.littleEndian(UInt32(text.utf8.count + 1))
        event.raw(text.utf8)
        event.uint8(0)
        return event.bytes
    }
}

/// The parts of a PE image that an Authenticode digest covers.
enum PEImage {
    /// `image` without its checksum, the entry of its certificate table and that table; all of
    /// `image` where it is no PE image.
    ///
    /// Document: Microsoft, Windows Authenticode Portable Executable Signature Format.
    static func hashed(_ image: [UInt8]) -> [UInt8] {
        guard let start = word(image, 0x3c), word(image, start) == 0x4550,
            let magic = word(image, start + 24)
        else { return image }
        let checksum = start + 24 + 64
        let isPlus = magic & 0xffff == 0x20b
        let directory = start + 24 + (isPlus ? 144 : 128)
        guard let table = word(image, directory), let size = word(image, directory + 4) else {
            return image
        }
        let end = size > 0 && table > directory && table <= image.count ? table : image.count
        return Array(
            image[..<checksum] + image[(checksum + 4)..<directory] + image[(directory + 8)..<end])
    }

    private static func word(_ image: [UInt8], _ offset: Int) -> Int? {
        guard offset >= 0, offset <= image.count - 4 else { return nil }
        return image[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
