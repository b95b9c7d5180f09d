import Bytes

/// A confidential computing event log as firmware leaves it behind the CCEL table, with the registers
/// that it leads to.
///
/// Layout: TCG PC Client Platform Firmware Profile, section 10 (crypto-agile log, SHA-384 only); the
/// index is 1 to 4 for RTMR0 to RTMR3 (UEFI, section "Confidential Computing", table CC_MR_INDEX).
struct CCEventLog {
    /// The types of event that are written.
    enum Kind: UInt32 {
        case separator = 0x4
        case tagged = 0x6
        case variable = 0x8000_0001
        case bootApplication = 0x8000_0003
        case firmware = 0x8000_000a
    }

    /// The whole log.
    private(set) var bytes: [UInt8]
    /// RTMR0 to RTMR3 after all events.
    private(set) var registers = [FixedBytes<48>](repeating: FixedBytes(), count: 4)
    private let hashing: any Hashing

    /// A log with its first event, which names the hash.
    init(hashing: some Hashing) {
        self.hashing = hashing
        var specification = ByteWriter()
        specification.raw(Array("Spec ID Event03\0".utf8))
        specification.zeros(4)
        specification.raw([0, 2, 0, 2])  // version 2.0, UINTN of 64 bits
        specification.littleEndian(UInt32(1))
        specification.littleEndian(UInt16(0x000c))
        specification.littleEndian(UInt16(48))
        specification.uint8(0)
        var first = ByteWriter()
        first.zeros(4)
        first.littleEndian(UInt32(3))  // EV_NO_ACTION
        first.zeros(20)
        first.littleEndian(UInt32(specification.bytes.count))
        first.raw(specification.bytes)
        bytes = first.bytes
    }

    /// Measures `contents` into RTMR `register`; `data` is what the log says of it.
    mutating func measure(
        _ register: Int, _ kind: Kind, data: [UInt8], digest: FixedBytes<48>
    ) {
        var event = ByteWriter()
        event.littleEndian(UInt32(register + 1))
        event.littleEndian(kind.rawValue)
        event.littleEndian(UInt32(1))
        event.littleEndian(UInt16(0x000c))
        event.fixed(digest)
        event.littleEndian(UInt32(data.count))
        event.raw(data)
        bytes += event.bytes
        registers[register] = hashing.sha384(registers[register].bytes + digest.bytes)
    }

    /// Measures what the log carries as a whole.
    mutating func measure(_ register: Int, _ kind: Kind, data: [UInt8]) {
        measure(register, kind, data: data, digest: hashing.sha384(data))
    }
}
