public import Policy

/// What the broker decided on a launch.
public enum LaunchDecision: String, Codable, Sendable, CaseIterable {
    /// The key left for the VM.
    case released
    /// Nothing left; the findings say why.
    case refused
    /// The VM was told to come back.
    case held
}

/// What became of a released key.
public enum LaunchOutcome: String, Codable, Sendable {
    /// No key was released, so there is nothing to become of it.
    case none
    /// The key left and the VM has not said what became of it.
    case open
    /// The VM proved that it holds the volume key.
    case unlocked
    /// The VM said, by the channel the key left through, that it could not use the key.
    case failed
}

/// A row of the ledger, as owners see it.
public struct LaunchRecord: Codable, Equatable, Sendable {
    /// `L-00042`.
    public var reference: String
    /// The launch id of the CHALLENGE, in hexadecimal.
    public var launchID: String
    /// The VM's id as it said it in HELLO; believed only if the check `identity` is ok.
    public var vm: String
    /// When evidence came; seconds since 1970, UTC.
    public var time: Int64
    /// The same as ISO 8601, in UTC.
    public var timeText: String
    /// Address of the peer, without port.
    public var from: String
    /// Such as `SNP Genoa`; nil where the evidence could not be read that far.
    public var platform: String?
    /// What was decided.
    public var decision: LaunchDecision
    /// Ids of the checks that refused it, in the order they were made.
    public var refusedChecks: [String]
    /// What became of the key.
    public var outcome: LaunchOutcome
    /// Why it failed, such as `keyslotRefusedKey`, where the outcome is `failed`.
    public var failure: String?
    /// What the VM added to that; text of a peer, printable characters only.
    public var failureDetail: String?
    /// When the outcome came; seconds since 1970, UTC.
    public var outcomeTime: Int64?
    /// From evidence received to decision durable.
    public var tookMilliseconds: Double
    /// Name of the policy it was judged by; nil for an unknown VM.
    public var policy: String?
    /// Identity of that policy as it was at the time.
    public var policyIdentity: String?
    /// REPORT_ID, in hexadecimal.
    public var reportID: String?
    /// CHIP_ID, in hexadecimal.
    public var chipID: String?
    /// MEASUREMENT, in hexadecimal.
    public var measurement: String?
    /// The class of the launch, by what was verified: `cpu`, `svsm-vtpm`, `paravisor-vtpm` or `host-vtpm`;
    /// nil where nothing was found authentic.
    public var launchClass: LaunchClass?
    /// Where the processor was found to vouch for the configuration; nil where it does not.
    public var anchor: ConfigAnchor?
    /// Every check; left out in lists.
    public var findings: [Finding]?

    /// Puts a record together.
    public init(
        reference: String, launchID: String, vm: String, time: Int64, timeText: String,
        from: String, platform: String? = nil, decision: LaunchDecision, refusedChecks: [String],
        outcome: LaunchOutcome, failure: String? = nil, failureDetail: String? = nil,
        outcomeTime: Int64? = nil, tookMilliseconds: Double, policy: String? = nil,
        policyIdentity: String? = nil, reportID: String? = nil, chipID: String? = nil,
        measurement: String? = nil, launchClass: LaunchClass? = nil,
        anchor: ConfigAnchor? = nil, findings: [Finding]? = nil
    ) {
        self.reference = reference
        self.launchID = launchID
        self.vm = vm
        self.time = time
        self.timeText = timeText
        self.from = from
        self.platform = platform
        self.decision = decision
        self.refusedChecks = refusedChecks
        self.outcome = outcome
        self.failure = failure
        self.failureDetail = failureDetail
        self.outcomeTime = outcomeTime
        self.tookMilliseconds = tookMilliseconds
        self.policy = policy
        self.policyIdentity = policyIdentity
        self.reportID = reportID
        self.chipID = chipID
        self.measurement = measurement
        self.launchClass = launchClass
        self.anchor = anchor
        self.findings = findings
    }
}

/// Answer of `GET /v1/launches`, newest first.
public struct LaunchList: Codable, Equatable, Sendable {
    /// The rows, without their findings.
    public var launches: [LaunchRecord]

    /// Wraps the rows.
    public init(launches: [LaunchRecord]) {
        self.launches = launches
    }
}
