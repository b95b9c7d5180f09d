public import Bytes

/// Writes event logs, right or wrong, event by event.
public struct EventLogBuilder: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []
    private let banks: [HashAlgorithm]

    /// Starts a crypto agile log, or one of the SHA-1 form for no banks at all.
    ///
    /// `firstRegister` is 1 in the logs of TDs.
    public init(banks: [HashAlgorithm], firstRegister: UInt32 = 0) {
        self.banks = banks
        guard !banks.isEmpty else { return }
        var specification = ByteWriter()
        specification.raw(Array("Spec ID Event03".utf8) + [0])
        specification.zeros(4)
        specification.raw([0, 2, 2, 2])
        specification.littleEndian(UInt32(banks.count))
        for bank in banks {
            specification.littleEndian(bank.tpmIdentifier)
            specification.littleEndian(UInt16(bank.size))
        }
        specification.uint8(0)
        var writer = ByteWriter()
        writer.littleEndian(firstRegister)
        writer.littleEndian(UInt32(3))
        writer.zeros(20)
        writer.littleEndian(UInt32(specification.bytes.count))
        writer.raw(specification.bytes)
        bytes = writer.bytes
    }

    /// Appends an event whose digest in each bank is `digest` of it.
    public mutating func event(
        _ register: UInt32, _ type: UInt32, _ data: [UInt8],
        digest: (HashAlgorithm) -> [UInt8]
    ) {
        var writer = ByteWriter()
        writer.littleEndian(register)
        writer.littleEndian(type)
        if banks.isEmpty {
            writer.raw(digest(.sha1))
        } else {
            writer.littleEndian(UInt32(banks.count))
            for bank in banks {
                writer.littleEndian(bank.tpmIdentifier)
                writer.raw(digest(bank))
            }
        }
        writer.littleEndian(UInt32(data.count))
        writer.raw(data)
        bytes += writer.bytes
    }

    /// UEFI_VARIABLE_DATA of a variable of the vendor whose GUID is `vendor`, in hexadecimal digits.
    public static func variable(_ vendor: String, _ name: String, _ data: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.raw(Hex.decode(vendor) ?? [])
        writer.littleEndian(UInt64(name.utf16.count))
        writer.littleEndian(UInt64(data.count))
        writer.raw(utf16(name))
        writer.raw(data)
        return writer.bytes
    }

    /// Text as UTF-16, little-endian.
    public static func utf16(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }
}
