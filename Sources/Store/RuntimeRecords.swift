public import AdminAPI
public import Bytes

/// What reports have made of a VM, and what they are held against.
public struct VMRuntime: Sendable, Equatable {
    /// Never `stale`: that is what time and a policy make of `trusted`, whenever somebody asks.
    public var state: RuntimeState
    /// Number of the newest report that counted for the state.
    public var lastReport: Int64?
    /// When it came; seconds since 1970, UTC.
    public var lastTime: Int64?
    /// Checks that refused the report which made the VM fail.
    public var failedChecks: [String]
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signs this VM's snapshots, once one did.
    public var signer: FixedBytes<32>?
    /// The snapshot that was registered last.
    public var snapshot: SnapshotRecord?
    /// The boot that is the expected one.
    public var boot: BootRecord?
    /// The maintenance window that was opened last, until it is closed; it may have expired.
    public var window: WindowRecord?
    /// The reboot that is expected, until it is seen; the ticket may have expired.
    public var ticket: TicketRecord?

    /// Starts with nothing known.
    public init(
        state: RuntimeState = .neverVerified, lastReport: Int64? = nil, lastTime: Int64? = nil,
        failedChecks: [String] = [], signer: FixedBytes<32>? = nil,
        snapshot: SnapshotRecord? = nil, boot: BootRecord? = nil, window: WindowRecord? = nil,
        ticket: TicketRecord? = nil
    ) {
        self.state = state
        self.lastReport = lastReport
        self.lastTime = lastTime
        self.failedChecks = failedChecks
        self.signer = signer
        self.snapshot = snapshot
        self.boot = boot
        self.window = window
        self.ticket = ticket
    }
}

/// A launch whose unlocking was proved.
public struct ProvedLaunch: Sendable, Equatable {
    /// Number of its row.
    public var number: Int64
    /// The VM whose disk opened.
    public var vm: String
    /// When its key was released; seconds since 1970, UTC.
    public var released: Int64

    /// Puts a launch together.
    public init(number: Int64, vm: String, released: Int64) {
        self.number = number
        self.vm = vm
        self.released = released
    }
}

/// What a report is judged on; read in the transaction that records the verdict.
public struct RuntimeFacts: Sendable {
    /// The enrolment of the VM that HELLO names.
    public var vm: EnrolledVM?
    /// Its policy.
    public var policy: StoredPolicy?
    /// What earlier reports and its owner have left.
    public var runtime: VMRuntime
    /// The proved launch of that REPORT_ID, of whatever VM; without one the newest proved launch of the VM.
    public var launch: ProvedLaunch?
}

/// What a report is looked up by.
public struct ReportQuestion: Sendable {
    /// The id that HELLO names.
    public var vm: String
    /// REPORT_ID of authenticated evidence; nil where there is none.
    public var reportID: FixedBytes<32>?

    /// Asks for a VM and a guest.
    public init(vm: String, reportID: FixedBytes<32>?) {
        self.vm = vm
        self.reportID = reportID
    }
}

/// What a runtime report came to.
public enum ReportVerdict: String, Sendable, CaseIterable {
    /// Everything that has to hold does.
    case trusted
    /// It is this VM's own report, and something does not hold.
    case failed
    /// It is this VM's own, and there is no snapshot to hold it against.
    case notVerified = "not verified"
    /// Nothing shows that it is this VM's: it says nothing of the VM.
    case refused
}

/// One runtime report for the ledger.
public struct ReportEntry: Sendable, Equatable {
    /// The id that HELLO names.
    public var vm: String
    /// When evidence came; seconds since 1970, UTC.
    public var time: Int64
    /// Address of the peer.
    public var from: String
    /// Such as `SNP Genoa`.
    public var platform: String?
    /// What it came to.
    public var verdict: ReportVerdict
    /// Ids of the checks that refused it.
    public var refusedChecks: [String]
    /// From evidence received to verdict, the log's way through the network included, in microseconds.
    public var tookMicroseconds: Int64
    /// Identity of the policy.
    public var policyIdentity: FixedBytes<32>?
    /// The boot that it is from.
    public var boot: BootRecord
    /// SHA-256 of the snapshot that it was held against, in hexadecimal.
    public var snapshot: String?
    /// How many entries the log has, those of earlier reports included.
    public var entries: Int?
    /// How many of them the quote vouches for.
    public var quotedEntries: Int?
    /// All findings, as a JSON array.
    public var findings: String
    /// The first entries that do not hold, as a JSON array of `ReportProblem`.
    public var problems: String

    /// Puts an entry together.
    public init(
        vm: String, time: Int64, from: String, platform: String? = nil, verdict: ReportVerdict,
        refusedChecks: [String] = [], tookMicroseconds: Int64 = 0,
        policyIdentity: FixedBytes<32>? = nil, boot: BootRecord = BootRecord(),
        snapshot: String? = nil, entries: Int? = nil, quotedEntries: Int? = nil,
        findings: String = "[]", problems: String = "[]"
    ) {
        self.vm = vm
        self.time = time
        self.from = from
        self.platform = platform
        self.verdict = verdict
        self.refusedChecks = refusedChecks
        self.tookMicroseconds = tookMicroseconds
        self.policyIdentity = policyIdentity
        self.boot = boot
        self.snapshot = snapshot
        self.entries = entries
        self.quotedEntries = quotedEntries
        self.findings = findings
        self.problems = problems
    }
}

/// A row of the ledger of reports.
public struct ReportRow: Sendable, Equatable {
    /// Its number, from 1.
    public var number: Int64
    /// The report.
    public var entry: ReportEntry
}

/// Something for the ledger that is no launch and no report.
public struct EventEntry: Sendable, Equatable {
    /// Such as `resumed`.
    public var kind: String
    /// The reason that was given, or what is worth knowing.
    public var detail: String

    /// Puts an event together.
    public init(_ kind: String, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

/// A verdict with all that follows from it.
public struct ReportDecision: Sendable, Equatable {
    /// The row.
    public var entry: ReportEntry
    /// What the VM's record becomes; nil where the report changes nothing.
    public var runtime: VMRuntime?
    /// What else has happened.
    public var events: [EventEntry]

    /// Puts a decision together.
    public init(entry: ReportEntry, runtime: VMRuntime? = nil, events: [EventEntry] = []) {
        self.entry = entry
        self.runtime = runtime
        self.events = events
    }
}
