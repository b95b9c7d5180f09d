/// What a trust domain was allowed to be at its making: TDATTRIBUTES, part of every report.
///
/// Layout: Intel TDX Module ABI (document 348551), table ATTRIBUTES.
public struct TDAttributes: Sendable, Hashable {
    /// The bits as signed, little-endian.
    public let rawValue: UInt64

    /// Takes the bits as they are; ``TDReportBody`` refuses reserved ones.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// DEBUG: the host may read and change the domain's memory and registers.
    public var allowsDebug: Bool { bit(0) }
    /// Any bit of the TUD group (bits 0 to 7): the domain runs in a mode in which nothing that it says
    /// can be trusted, as for debugging or profiling.
    public var isUntrusted: Bool { rawValue & 0xff != 0 }
    /// ICSSD: the host may disable the indirect conditional speculation that it controls.
    public var allowsICSSD: Bool { bit(16) }
    /// LASS: linear address space separation is on.
    public var usesLASS: Bool { bit(27) }
    /// SEPT_VE_DISABLE: the host cannot have pages vanish and come back behind the guest's back.
    public var disablesSEPTExceptions: Bool { bit(28) }
    /// MIGRATABLE: the domain may be bound to a migration domain, which can read its memory.
    public var allowsMigration: Bool { bit(29) }
    /// PKS: the guest may use supervisor protection keys.
    public var allowsPKS: Bool { bit(30) }
    /// KL: the guest may use key locker.
    public var allowsKeyLocker: Bool { bit(31) }
    /// TPA: the domain is the platform's own, asking on behalf of others.
    public var isPlatformAttester: Bool { bit(62) }
    /// PERFMON: the guest may use performance counters, which leak.
    public var allowsPerformanceMonitoring: Bool { bit(63) }

    /// Bits that the ABI reserves and that must be zero.
    static let mustBeZero: UInt64 = ~(0x71 | 1 << 16 | 0x1f << 27 | 3 << 62)

    private func bit(_ index: Int) -> Bool { rawValue >> index & 1 == 1 }
}
