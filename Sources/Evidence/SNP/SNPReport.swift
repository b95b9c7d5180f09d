public import Bytes

/// Which key of the platform signed a report.
public enum SNPSigningKey: String, Sendable, Hashable, CaseIterable, Codable {
    /// The chip's own key, made by the secure processor from chip secret and TCB.
    case vcek
    /// A key that AMD lends to a cloud provider.
    case vlek
    /// The report is not signed.
    case none
}

/// The processor that a report of version 3 or later names.
public struct SNPProcessor: Sendable, Hashable {
    /// CPUID family with the extended part added.
    public let family: UInt8
    /// CPUID model with the extended part added.
    public let model: UInt8
    /// CPUID stepping.
    public let stepping: UInt8
}

/// Versions of the SNP firmware itself; compared by major, then minor, then build.
public struct SNPFirmwareVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Major version of the ABI.
    public let major: UInt8
    /// Minor version of the ABI.
    public let minor: UInt8
    /// Build within it.
    public let build: UInt8

    /// Whether `left` is older.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.build) < (right.major, right.minor, right.build)
    }

    /// For example `1.55.40`.
    public var description: String { "\(major).\(minor).\(build)" }
}

/// An SEV-SNP ATTESTATION_REPORT as it was read: nothing in it has been authenticated.
///
/// Layout: AMD publication 56860, "SEV Secure Nested Paging Firmware ABI", table ATTESTATION_REPORT.
/// All integers are little-endian. `init(parsing:)` is in `SNPReportParser.swift`.
public struct SNPReport: Sendable, Equatable {
    /// Size of a report with its signature.
    public static let byteCount = 0x4a0
    /// Size of the part that is signed.
    public static let signedByteCount = 0x2a0

    /// Bytes 0x000 to 0x29f as received: what the signature is over.
    public let signedBytes: [UInt8]
    /// VERSION: 2, 3 or 5.
    public let version: UInt32
    /// GUEST_SVN of the ID block.
    public let guestSVN: UInt32
    /// POLICY.
    public let policy: GuestPolicy
    /// FAMILY_ID of the ID block.
    public let familyID: FixedBytes<16>
    /// IMAGE_ID of the ID block.
    public let imageID: FixedBytes<16>
    /// The privilege level that asked for the report, 0 to 3.
    public let vmpl: UInt32
    /// CURRENT_TCB: what runs now.
    public let currentTCB: FixedBytes<8>
    /// PLATFORM_INFO.
    public let platformInfo: PlatformInfo
    /// AUTHOR_KEY_EN: AUTHOR_KEY_DIGEST says who signed the ID key.
    public let authorKeyEnabled: Bool
    /// MASK_CHIP_KEY: the host hid the chip, so CHIP_ID is zero.
    public let maskChipKey: Bool
    /// SIGNING_KEY.
    public let signingKey: SNPSigningKey
    /// REPORT_DATA: what the guest asked to be signed.
    public let reportData: FixedBytes<64>
    /// MEASUREMENT: the launch digest.
    public let measurement: FixedBytes<48>
    /// HOST_DATA: what the host gave at launch.
    public let hostData: FixedBytes<32>
    /// ID_KEY_DIGEST; zero without an ID block.
    public let idKeyDigest: FixedBytes<48>
    /// AUTHOR_KEY_DIGEST; zero without an author key.
    public let authorKeyDigest: FixedBytes<48>
    /// REPORT_ID: random for each launch.
    public let reportID: FixedBytes<32>
    /// REPORT_ID_MA: of the migration agent; all ones without one.
    public let reportIDMA: FixedBytes<32>
    /// REPORTED_TCB: what the signing key was made from.
    public let reportedTCB: FixedBytes<8>
    /// CPUID_FAM_ID, CPUID_MOD_ID, CPUID_STEP; nil in version 2, which has none.
    public let cpuid: SNPProcessor?
    /// CHIP_ID; zero if masked.
    public let chipID: FixedBytes<64>
    /// COMMITTED_TCB: what the firmware cannot be rolled back below.
    public let committedTCB: FixedBytes<8>
    /// CURRENT_MAJOR, CURRENT_MINOR, CURRENT_BUILD.
    public let currentVersion: SNPFirmwareVersion
    /// COMMITTED_MAJOR, COMMITTED_MINOR, COMMITTED_BUILD.
    public let committedVersion: SNPFirmwareVersion
    /// LAUNCH_TCB: what ran when the guest was launched.
    public let launchTCB: FixedBytes<8>
    /// LAUNCH_MIT_VECTOR; nil before version 5.
    public let launchMitigations: UInt64?
    /// CURRENT_MIT_VECTOR; nil before version 5.
    public let currentMitigations: UInt64?
    /// R of the signature, big-endian.
    public let signatureR: FixedBytes<48>
    /// S of the signature, big-endian.
    public let signatureS: FixedBytes<48>
}

extension SNPReport {
    /// The processor line that the report names; nil in version 2 and for a line not known here.
    public var product: SNPProduct? {
        cpuid.flatMap { SNPProduct(family: $0.family, model: $0.model) }
    }
}
