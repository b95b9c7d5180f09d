public import AdminAPI
public import Bytes
public import Policy

/// What enrolment left for one VM. The keys in it are sealed; see `BrokerCore.KeyEnvelope`.
public struct EnrolledVM: Sendable, Equatable {
    /// The VM's id.
    public var id: String
    /// Whether launches are judged or refused outright.
    public var state: VMState
    /// Why it was disabled.
    public var disabledReason: String?
    /// Name of the policy it is judged by.
    public var policy: String
    /// SHA-256 of its `gate.conf`.
    public var configDigest: FixedBytes<32>
    /// Its `gate.conf`.
    public var gateConf: String
    /// UUID of its LUKS2 volume.
    public var luksUUID: String
    /// Name of the key.
    public var keyName: String
    /// The keyslot that the key opens.
    public var keyslot: Int
    /// Digest of its LUKS2 header.
    public var headerDigest: FixedBytes<32>
    /// What the volume key must derive to before the agent activates anything.
    public var volumeKeyCheck: FixedBytes<32>
    /// Counts enrolments of this id, from 1; part of what the sealed keys are bound to.
    public var keyVersion: Int
    /// The sealed passphrase of the keyslot.
    public var sealedKey: [UInt8]
    /// The sealed key of proofs of unlock.
    public var sealedProofKey: [UInt8]
    /// First enrolment; seconds since 1970, UTC.
    public var created: Int64
    /// Last change; seconds since 1970, UTC.
    public var updated: Int64

    /// Puts a record together.
    public init(
        id: String, state: VMState = .enabled, disabledReason: String? = nil, policy: String,
        configDigest: FixedBytes<32>, gateConf: String, luksUUID: String, keyName: String,
        keyslot: Int, headerDigest: FixedBytes<32>, volumeKeyCheck: FixedBytes<32>,
        keyVersion: Int, sealedKey: [UInt8], sealedProofKey: [UInt8], created: Int64,
        updated: Int64
    ) {
        self.id = id
        self.state = state
        self.disabledReason = disabledReason
        self.policy = policy
        self.configDigest = configDigest
        self.gateConf = gateConf
        self.luksUUID = luksUUID
        self.keyName = keyName
        self.keyslot = keyslot
        self.headerDigest = headerDigest
        self.volumeKeyCheck = volumeKeyCheck
        self.keyVersion = keyVersion
        self.sealedKey = sealedKey
        self.sealedProofKey = sealedProofKey
        self.created = created
        self.updated = updated
    }
}

/// An enrolled VM beside what lists show with it.
public struct VMSummary: Sendable, Equatable {
    /// The enrolment.
    public var vm: EnrolledVM
    /// Identity of its policy.
    public var policyIdentity: FixedBytes<32>
    /// Number of its newest ledger row.
    public var lastLaunch: Int64?
}

/// A policy as text, with the identity that the text had when it was checked.
public struct StoredPolicy: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// SHA-256 of its canonical form.
    public var identity: FixedBytes<32>
    /// The text.
    public var toml: String
    /// When the text was stored; seconds since 1970, UTC.
    public var created: Int64

    /// Puts a record together.
    public init(name: String, identity: FixedBytes<32>, toml: String, created: Int64) {
        self.name = name
        self.identity = identity
        self.toml = toml
        self.created = created
    }
}

/// What the ledger knows of a REPORT_ID, which names one start of one guest.
public enum ReportHistory: Sendable, Equatable {
    /// No key was released to it.
    case never
    /// A key was released first at `first` (seconds since 1970, UTC).
    case released(first: Int64, unlocked: Bool)
}

/// What a decision is made on; read in the transaction that records the decision.
public struct LaunchFacts: Sendable {
    /// The enrolment of the VM that HELLO names.
    public var vm: EnrolledVM?
    /// Its policy.
    public var policy: StoredPolicy?
    /// What became of earlier releases to the same guest.
    public var history: ReportHistory
    /// Whether a runtime report made the VM fail, and nobody has resumed it since.
    public var runtimeHasFailed: Bool
}

/// What a launch is looked up by.
public struct LaunchQuestion: Sendable {
    /// The id that HELLO names.
    public var vm: String
    /// REPORT_ID of authenticated evidence; nil where there is none.
    public var reportID: FixedBytes<32>?
    /// Whether nothing is released without a REPORT_ID: true but for evidence of a kind that has
    /// none and shows in a register that a guest was handed over.
    public var needsReportID: Bool

    /// Asks for a VM and a guest.
    public init(vm: String, reportID: FixedBytes<32>?, needsReportID: Bool = true) {
        self.vm = vm
        self.reportID = reportID
        self.needsReportID = needsReportID
    }
}

/// One decision for the ledger.
public struct LaunchEntry: Sendable, Equatable {
    /// The launch id of the CHALLENGE.
    public var launchID: FixedBytes<16>
    /// The id that HELLO names.
    public var vm: String
    /// When evidence came; seconds since 1970, UTC.
    public var time: Int64
    /// Address of the peer.
    public var from: String
    /// Such as `SNP Genoa`.
    public var platform: String?
    /// What was decided.
    public var decision: LaunchDecision
    /// Ids of the checks that refused it.
    public var refusedChecks: [String]
    /// From evidence received to decision made, in microseconds.
    public var tookMicroseconds: Int64
    /// Name of the policy.
    public var policy: String?
    /// Identity of the policy.
    public var policyIdentity: FixedBytes<32>?
    /// REPORT_ID.
    public var reportID: FixedBytes<32>?
    /// CHIP_ID.
    public var chipID: FixedBytes<64>?
    /// MEASUREMENT.
    public var measurement: FixedBytes<48>?
    /// The class of the launch, by what was verified; nil without authentic evidence and a policy.
    public var launchClass: LaunchClass?
    /// Where the processor was found to vouch for the configuration; nil where it does not.
    public var anchor: ConfigAnchor?
    /// The binding; a late proof is checked against it.
    public var binding: FixedBytes<64>
    /// All findings, as a JSON array.
    public var findings: String

    /// Puts an entry together.
    public init(
        launchID: FixedBytes<16>, vm: String, time: Int64, from: String, platform: String? = nil,
        decision: LaunchDecision, refusedChecks: [String] = [], tookMicroseconds: Int64 = 0,
        policy: String? = nil, policyIdentity: FixedBytes<32>? = nil,
        reportID: FixedBytes<32>? = nil, chipID: FixedBytes<64>? = nil,
        measurement: FixedBytes<48>? = nil, launchClass: LaunchClass? = nil,
        anchor: ConfigAnchor? = nil, binding: FixedBytes<64>, findings: String = "[]"
    ) {
        self.launchID = launchID
        self.vm = vm
        self.time = time
        self.from = from
        self.platform = platform
        self.decision = decision
        self.refusedChecks = refusedChecks
        self.tookMicroseconds = tookMicroseconds
        self.policy = policy
        self.policyIdentity = policyIdentity
        self.reportID = reportID
        self.chipID = chipID
        self.measurement = measurement
        self.launchClass = launchClass
        self.anchor = anchor
        self.binding = binding
        self.findings = findings
    }
}

/// What a VM said became of its key.
public struct OutcomeEntry: Sendable, Equatable {
    /// `unlocked` or `failed`.
    public var outcome: LaunchOutcome
    /// Why it failed.
    public var failure: String?
    /// What the VM added, made printable.
    public var detail: String?
    /// When it came; seconds since 1970, UTC.
    public var time: Int64

    /// Puts an entry together.
    public init(
        outcome: LaunchOutcome, failure: String? = nil, detail: String? = nil, time: Int64
    ) {
        self.outcome = outcome
        self.failure = failure
        self.detail = detail
        self.time = time
    }
}

/// A row of the ledger.
public struct LedgerRow: Sendable, Equatable {
    /// Its number, from 1.
    public var number: Int64
    /// The decision.
    public var entry: LaunchEntry
    /// What became of the key.
    public var outcome: LaunchOutcome
    /// Why it failed.
    public var failure: String?
    /// What the VM added to that.
    public var failureDetail: String?
    /// When the outcome came.
    public var outcomeTime: Int64?
}

/// A decision that is durable.
public struct RecordedLaunch: Sendable {
    /// The row's number.
    public var number: Int64
    /// What was recorded.
    public var entry: LaunchEntry
    /// The enrolment it was decided on, for its sealed keys.
    public var vm: EnrolledVM?
}

/// Which ledger rows to list.
public struct LaunchFilter: Sendable {
    /// Only those that name this VM.
    public var vm: String?
    /// Only those with this decision.
    public var decision: LaunchDecision?
    /// At most so many, the newest.
    public var limit: Int

    /// Combines conditions.
    public init(vm: String? = nil, decision: LaunchDecision? = nil, limit: Int = 50) {
        self.vm = vm
        self.decision = decision
        self.limit = limit
    }
}
