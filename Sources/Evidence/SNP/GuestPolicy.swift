/// What a guest's owner demanded at launch: POLICY of the launch and of every report.
///
/// Layout: AMD publication 56860, "SEV Secure Nested Paging Firmware ABI", table GUEST_POLICY.
public struct GuestPolicy: Sendable, Hashable {
    /// The bits as signed.
    public let rawValue: UInt64

    /// Takes the bits as they are; ``SNPReport`` refuses reserved ones.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The lowest minor version of the firmware ABI that may run the guest.
    public var abiMinor: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
    /// The lowest major version of the firmware ABI that may run the guest.
    public var abiMajor: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
    /// The host may run with simultaneous multithreading.
    public var allowsSMT: Bool { bit(16) }
    /// The guest may be bound to a migration agent, which can read its memory.
    public var allowsMigration: Bool { bit(18) }
    /// The host may decrypt the guest's memory with the debug commands.
    public var allowsDebug: Bool { bit(19) }
    /// The guest may run on a single socket only.
    public var requiresSingleSocket: Bool { bit(20) }
    /// Devices attached by CXL may be present.
    public var allowsCXL: Bool { bit(21) }
    /// Memory must be encrypted with AES-256-XTS.
    public var requiresAES256XTS: Bool { bit(22) }
    /// The power meter RAPL must be off, since it leaks.
    public var requiresRAPLDisabled: Bool { bit(23) }
    /// The host must not see ciphertext of the guest's memory.
    public var requiresCiphertextHiding: Bool { bit(24) }
    /// The host may not swap or move the guest's pages.
    public var disablesPageSwap: Bool { bit(25) }

    /// Bits that the ABI reserves and that must be zero: 26 to 63.
    static let mustBeZero: UInt64 = ~0 << 26
    /// The bit that the ABI reserves and that must be one.
    static let mustBeOne: UInt64 = 1 << 17

    private func bit(_ index: Int) -> Bool { rawValue >> index & 1 == 1 }
}
