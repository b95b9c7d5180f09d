/// How the host's platform is set up: PLATFORM_INFO of a report.
///
/// Layout: AMD publication 56860, table PLATFORM_INFO. Newer firmware sets bits that older revisions
/// of the document reserve, so unknown bits are kept and never refused.
public struct PlatformInfo: Sendable, Hashable {
    /// The bits as signed.
    public let rawValue: UInt64

    /// Takes the bits as they are.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Simultaneous multithreading is on.
    public var hasSMT: Bool { bit(0) }
    /// Transparent memory encryption is on.
    public var hasTSME: Bool { bit(1) }
    /// The memory has error correction.
    public var hasECC: Bool { bit(2) }
    /// The power meter RAPL is off.
    public var hasRAPLDisabled: Bool { bit(3) }
    /// The host does not see ciphertext of the guest's memory.
    public var hasCiphertextHiding: Bool { bit(4) }
    /// The firmware looked for memory aliases since the last reset and found none.
    public var hasAliasCheck: Bool { bit(5) }
    /// Devices may be assigned to guests as trusted ones (SEV-TIO).
    public var hasTrustedIO: Bool { bit(7) }

    private func bit(_ index: Int) -> Bool { rawValue >> index & 1 == 1 }
}
