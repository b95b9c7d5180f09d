public import Bytes

/// What the broker knows of a launch beside the evidence: its own records, its clock, and what the
/// attester said under the binding.
public struct LaunchContext: Sendable, Equatable {
    /// What was released to a REPORT_ID before.
    public enum ReportIDHistory: Sendable, Equatable {
        /// Nothing.
        case never
        /// A key, first at this time (Unix seconds); `unlocked` once a proof of unlock came.
        case releasedAt(Int64, unlocked: Bool)
    }

    /// The VM that the attester says it is.
    public var vm: String
    /// Whether its owner lets it boot.
    public var vmIsEnabled: Bool
    /// Whether a report of the running VM failed that its owner has not resumed it after.
    public var runtimeHasFailed: Bool
    /// SHA-256 of the configuration, as the attester says.
    public var configDigest: FixedBytes<32>
    /// The same, as enrolled.
    public var enrolledConfigDigest: FixedBytes<32>
    /// The disk's header digest, as the attester says.
    public var headerDigest: FixedBytes<32>
    /// The header digests that may open: the current one and, during a rotation, the staged one.
    public var enrolledHeaderDigests: [FixedBytes<32>]
    /// What was released to this REPORT_ID before.
    public var reportIDHistory: ReportIDHistory
    /// The broker's clock, Unix seconds.
    public var now: Int64

    /// Takes everything as given.
    public init(
        vm: String, vmIsEnabled: Bool, runtimeHasFailed: Bool, configDigest: FixedBytes<32>,
        enrolledConfigDigest: FixedBytes<32>, headerDigest: FixedBytes<32>,
        enrolledHeaderDigests: [FixedBytes<32>], reportIDHistory: ReportIDHistory, now: Int64
    ) {
        self.vm = vm
        self.vmIsEnabled = vmIsEnabled
        self.runtimeHasFailed = runtimeHasFailed
        self.configDigest = configDigest
        self.enrolledConfigDigest = enrolledConfigDigest
        self.headerDigest = headerDigest
        self.enrolledHeaderDigests = enrolledHeaderDigests
        self.reportIDHistory = reportIDHistory
        self.now = now
    }
}
