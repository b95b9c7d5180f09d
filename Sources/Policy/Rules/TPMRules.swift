public import Bytes
import Evidence

/// What an owner wants of a TPM beside the processor.
public struct TPMRules: Sendable, Equatable {
    /// Whether a launch needs a quote.
    public var isRequired = false
    /// Why the key of a quote may count.
    public var keyTrusts: Set<AttestationKeyTrust> = Self.proven
    /// Whether values of a SHA-1 bank count.
    public var allowsSHA1 = false
    /// Registers of boots that the owner knows; one of them has to match, if there are any.
    public var references: [ReferencePCRs] = []

    /// Every way to tie a key to somebody.
    public static let proven = Set(AttestationKeyTrust.allCases).subtracting([.nothing])

    /// No TPM is asked for.
    public init() {}

    /// Whether a launch without a quote is refused.
    public var needsQuote: Bool { isRequired || !references.isEmpty }
}

/// Registers of one boot that the owner knows.
public struct ReferencePCRs: Sendable, Equatable {
    /// What the owner calls it.
    public var label: String
    /// The bank.
    public var bank: HashAlgorithm
    /// Values by register, 0 to 23, each of the bank's length.
    public var values: [UInt8: [UInt8]]
    /// What would change them.
    public var covers: Set<Coverage>

    /// Takes everything as given.
    public init(
        label: String, bank: HashAlgorithm, values: [UInt8: [UInt8]], covers: Set<Coverage>
    ) {
        self.label = label
        self.bank = bank
        self.values = values
        self.covers = covers
    }
}
