/// What a connection is for.
public enum Purpose: UInt8, Sendable, CaseIterable {
    /// Boot: prove what was started and get the disk key.
    case launch = 1
    /// After boot: prove that it is still what was started; no key is released.
    case runtime = 2
}

/// A platform's way to sign report data.
public enum EvidenceKind: UInt8, Sendable, CaseIterable, Comparable {
    /// An AMD SEV-SNP attestation report.
    case snp = 1
    /// An Intel TDX quote.
    case tdx = 2
    /// An SNP report owned by Azure's paravisor, and its vTPM.
    case azureSNP = 3
    /// A TDX quote owned by Azure's paravisor, and its vTPM.
    case azureTDX = 4
    /// An SNP report fetched by an SVSM, over its services' manifest.
    case svsm = 5

    /// Ascending, as on the wire.
    public static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension EvidenceKind: CustomStringConvertible {
    /// The name in docs/protocol.md.
    public var description: String {
        switch self {
        case .snp: "snp"
        case .tdx: "tdx"
        case .azureSNP: "azure-snp"
        case .azureTDX: "azure-tdx"
        case .svsm: "svsm"
        }
    }
}

/// The name under which an owner enrolled a VM: `[a-z0-9][a-z0-9.-]{0,63}`.
public struct VMIdentifier: Hashable, Sendable, CustomStringConvertible {
    /// The name.
    public let description: String

    /// Nil unless `text` follows the grammar.
    public init?(_ text: String) {
        guard
            Characters.isName(
                text.utf8, length: 1...64, first: Characters.isLowerAlphanumeric,
                rest: { Characters.isLowerAlphanumeric($0) || Characters.isOne(of: ".-", $0) })
        else { return nil }
        description = text
    }
}

/// Which of a VM's keys is asked for: `[a-z0-9][a-z0-9._-]{0,31}`.
public struct KeyName: Hashable, Sendable, CustomStringConvertible {
    /// The name of the root disk's key.
    public static let disk = KeyName(unchecked: "disk")

    /// The name.
    public let description: String

    /// Nil unless `text` follows the grammar.
    public init?(_ text: String) {
        guard
            Characters.isName(
                text.utf8, length: 1...32, first: Characters.isLowerAlphanumeric,
                rest: { Characters.isLowerAlphanumeric($0) || Characters.isOne(of: "._-", $0) })
        else { return nil }
        description = text
    }

    private init(unchecked text: String) {
        description = text
    }
}

/// What a guest's console may learn about a decision, and an owner can look up:
/// `[A-Za-z0-9][A-Za-z0-9-]{0,31}`, such as `L-00041`.
public struct LaunchReference: Hashable, Sendable, CustomStringConvertible {
    /// The reference.
    public let description: String

    /// Nil unless `text` follows the grammar.
    public init?(_ text: String) {
        guard
            Characters.isName(
                text.utf8, length: 1...32, first: Characters.isAlphanumeric,
                rest: { Characters.isAlphanumeric($0) || Characters.isOne(of: "-", $0) })
        else { return nil }
        description = text
    }
}
