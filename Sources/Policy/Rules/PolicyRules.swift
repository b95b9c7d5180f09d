public import Bytes
public import Evidence

/// What an owner wrote down; ``AppraisalPolicy`` is what becomes of it once it was found sound.
///
/// The defaults are the strict ones: with nothing set, everything is refused.
public struct PolicyRules: Sendable, Equatable {
    /// What the owner calls the policy.
    public var name: String
    /// For people; judged by nobody, but part of the policy's identity.
    public var description = ""
    /// The launch digests that may boot.
    public var measurements: [ReferenceMeasurement] = []
    /// The lowest class that may boot.
    public var lowestClass = LaunchClass.cpu
    /// Where the processor vouches for the configuration.
    public var anchor = ConfigAnchor.hostData
    /// The lowest versions of the firmware; a line that is not listed is refused.
    public var minimumTCB: [SNPProduct: [TCBComponent: UInt8]] = [:]
    /// Whether the host may be able to read the guest's memory by debug commands.
    public var allowsDebug = false
    /// Whether the guest may have a migration agent.
    public var allowsMigration = false
    /// Bits of the guest policy that must be as given.
    public var guestPolicy: [GuestPolicyBit: Bool] = [:]
    /// The lowest firmware ABI that the guest policy must demand.
    public var minimumABI: ABIVersion?
    /// Bits of the platform's set-up that must be as given.
    public var platform: [PlatformBit: Bool] = [:]
    /// The privilege level that asks for the report.
    public var vmpl: UInt8 = 0
    /// The kinds of key that may sign.
    public var signingKeys: Set<SNPSigningKey> = [.vcek]
    /// Who may have signed the ID block; empty: no requirement.
    public var idKeyDigests: Set<FixedBytes<48>> = []
    /// Who may have signed the ID key; empty: no requirement.
    public var authorKeyDigests: Set<FixedBytes<48>> = []
    /// The chips that may run the VM; empty: no requirement.
    public var allowedChips: Set<FixedBytes<64>> = []
    /// The chips that may not.
    public var deniedChips: Set<FixedBytes<64>> = []
    /// The cloud providers whose VLEK may sign (cspID); empty: no requirement.
    public var providers: Set<String> = []
    /// Bits that both mitigation vectors must have; nil: no requirement.
    public var mitigations: UInt64?
    /// Whether a launch needs its certificates looked up in a revocation list.
    public var requiresRevocationList = false
    /// How old revocation lists and TCB information may be, in days; nil: no requirement.
    public var maximumEndorsementAge: UInt16?
    /// What is wanted of a TD.
    public var tdx = TDXRules()
    /// What is wanted of a TPM.
    public var tpm = TPMRules()
    /// What is wanted of the boot's log.
    public var boot = BootRules()
    /// What is wanted after the boot; nil where the policy says nothing of it.
    public var runtime: RuntimeRules?

    /// A policy of this name that permits nothing yet.
    public init(name: String) {
        self.name = name
    }
}

/// A bit of the guest policy that a policy may want to be on or off.
public enum GuestPolicyBit: String, Sendable, Hashable, CaseIterable {
    /// The host may run with multithreading.
    case smt
    /// One socket only.
    case singleSocket = "single_socket"
    /// CXL devices may be present.
    case cxl
    /// Memory in AES-256-XTS.
    case aes256XTS = "aes_256_xts"
    /// RAPL must be off.
    case raplDisabled = "rapl_disabled"
    /// Ciphertext hidden from the host.
    case ciphertextHiding = "ciphertext_hiding"
    /// Pages may not be swapped or moved.
    case pageSwapDisabled = "page_swap_disabled"
}

/// A bit of the platform's set-up that a policy may want to be on or off.
public enum PlatformBit: String, Sendable, Hashable, CaseIterable {
    /// Multithreading is on.
    case smt
    /// Transparent memory encryption is on.
    case tsme
    /// The memory has error correction.
    case ecc
    /// RAPL is off.
    case raplDisabled = "rapl_disabled"
    /// Ciphertext is hidden from the host.
    case ciphertextHiding = "ciphertext_hiding"
    /// The firmware looked for memory aliases and found none.
    case aliasCheck = "alias_check"
}

/// A version of the SNP firmware's interface.
public struct ABIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Counts first.
    public let major: UInt8
    /// Counts among equal majors.
    public let minor: UInt8

    /// Takes both numbers.
    public init(major: UInt8, minor: UInt8) {
        self.major = major
        self.minor = minor
    }

    /// Orders by major, then by minor.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// For example `1.55`.
    public var description: String { "\(major).\(minor)" }
}
