public import Bytes
public import Evidence

/// What an owner wants of a TD.
public struct TDXRules: Sendable, Equatable {
    /// How long a status is good.
    public enum Acceptance: Sendable, Hashable {
        /// Until the policy changes.
        case always
        /// Up to and including this time, Unix seconds.
        case until(Int64)
    }

    /// The statuses that may boot.
    public var statuses: [TCBStatus: Acceptance] = [.upToDate: .always]
    /// Bits of TDATTRIBUTES that must be as given.
    public var attributes: [TDAttributeBit: Bool] = [:]
    /// XFAM, exactly; nil: no requirement.
    public var xfam: UInt64?
    /// The TDX modules that may run the TD (MRSEAM); empty: no requirement.
    public var modules: Set<FixedBytes<48>> = []
    /// MROWNER; empty: no requirement.
    public var owners: Set<FixedBytes<48>> = []
    /// MROWNERCONFIG; empty: no requirement.
    public var ownerConfigs: Set<FixedBytes<48>> = []

    /// Only what is up to date.
    public init() {}
}

/// A bit of TDATTRIBUTES that a policy may want to be on or off.
public enum TDAttributeBit: String, Sendable, Hashable, CaseIterable {
    /// No #VE for pending pages, so that the host cannot take pages away unnoticed.
    case septVEDisable = "sept_ve_disable"
    /// Supervisor protection keys.
    case pks
    /// Key locker.
    case kl
    /// Performance monitoring.
    case perfmon

    /// Its number in TDATTRIBUTES (Intel TDX module ABI, table TD Attributes).
    var bit: Int {
        switch self {
        case .septVEDisable: 28
        case .pks: 30
        case .kl: 31
        case .perfmon: 63
        }
    }
}
