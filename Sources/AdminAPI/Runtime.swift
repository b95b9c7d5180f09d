public import Policy

/// What the broker thinks of a VM after its boot.
public enum RuntimeState: String, Codable, Sendable, CaseIterable {
    /// No report ever came, or no snapshot is registered to hold one against.
    case neverVerified = "never verified"
    /// The newest report held, and it is not older than the policy wants.
    case trusted
    /// The newest report held, and none came since for longer than the policy wants.
    case stale
    /// A report did not hold. It stays so until an operator resumes the VM with a reason.
    case failed
}

/// What the broker knows of a VM's runtime.
public struct RuntimeRecord: Codable, Equatable, Sendable {
    /// The VM's id.
    public var vm: String
    /// What the broker thinks of it now.
    public var state: RuntimeState
    /// Reference of the newest report, such as `R-00012`.
    public var lastReport: String?
    /// When it came; seconds since 1970, UTC.
    public var lastTime: Int64?
    /// Checks that refused the report which made the VM fail.
    public var failedChecks: [String]
    /// The snapshot that reports are held against.
    public var snapshot: SnapshotRecord?
    /// The boot that is the expected one.
    public var boot: BootRecord?
    /// The maintenance window, where one is open.
    public var window: WindowRecord?
    /// The reboot that is expected, where one is.
    public var ticket: TicketRecord?

    /// Puts a record together.
    public init(
        vm: String, state: RuntimeState, lastReport: String? = nil, lastTime: Int64? = nil,
        failedChecks: [String] = [], snapshot: SnapshotRecord? = nil, boot: BootRecord? = nil,
        window: WindowRecord? = nil, ticket: TicketRecord? = nil
    ) {
        self.vm = vm
        self.state = state
        self.lastReport = lastReport
        self.lastTime = lastTime
        self.failedChecks = failedChecks
        self.snapshot = snapshot
        self.boot = boot
        self.window = window
        self.ticket = ticket
    }
}

/// A snapshot that was registered with the broker.
public struct SnapshotRecord: Codable, Equatable, Sendable {
    /// The VM's id.
    public var vm: String
    /// SHA-256 of the file, in hexadecimal.
    public var digest: String
    /// Size of the file, in bytes.
    public var size: Int64
    /// How many pairs of a path and a digest it has.
    public var files: Int
    /// When it was registered; seconds since 1970, UTC.
    public var registered: Int64
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signed it, in hexadecimal.
    public var signer: String?

    /// Puts a record together.
    public init(
        vm: String, digest: String, size: Int64, files: Int, registered: Int64,
        signer: String? = nil
    ) {
        self.vm = vm
        self.digest = digest
        self.size = size
        self.files = files
        self.registered = registered
        self.signer = signer
    }
}

/// One boot of a VM, as reports name it.
public struct BootRecord: Codable, Equatable, Sendable {
    /// REPORT_ID, in hexadecimal; nil where the platform has none.
    public var reportID: String?
    /// The TPM's resetCount; nil where no TPM was quoted.
    public var resetCount: UInt32?
    /// The TPM's restartCount.
    public var restartCount: UInt32?

    /// Puts a record together.
    public init(reportID: String? = nil, resetCount: UInt32? = nil, restartCount: UInt32? = nil) {
        self.reportID = reportID
        self.resetCount = resetCount
        self.restartCount = restartCount
    }
}

/// A maintenance window: as long as it is open, files that the snapshot does not have are told and do not
/// make the VM fail.
public struct WindowRecord: Codable, Equatable, Sendable {
    /// When it was opened; seconds since 1970, UTC.
    public var opened: Int64
    /// When it closes by itself; seconds since 1970, UTC.
    public var expires: Int64
    /// Why.
    public var reason: String

    /// Puts a record together.
    public init(opened: Int64, expires: Int64, reason: String) {
        self.opened = opened
        self.expires = expires
        self.reason = reason
    }
}

/// One reboot that may happen.
public struct TicketRecord: Codable, Equatable, Sendable {
    /// When it was given; seconds since 1970, UTC.
    public var created: Int64
    /// Until when the gate must have seen the reboot; seconds since 1970, UTC.
    public var expires: Int64
    /// Why.
    public var reason: String

    /// Puts a record together.
    public init(created: Int64, expires: Int64, reason: String) {
        self.created = created
        self.expires = expires
        self.reason = reason
    }
}

/// One runtime report, as owners see it.
public struct ReportRecord: Codable, Equatable, Sendable {
    /// `R-00012`.
    public var reference: String
    /// The VM's id as it said it.
    public var vm: String
    /// When it came; seconds since 1970, UTC.
    public var time: Int64
    /// Address of the peer.
    public var from: String
    /// `trusted`, `failed`, `not verified` where there is no snapshot to hold it against, or `refused` where
    /// nothing shows that it is this VM's: then it has changed nothing.
    public var verdict: String
    /// Checks that refused it.
    public var refusedChecks: [String]
    /// How many entries the IMA log had, and how many of them the quote vouches for.
    public var entries: Int?
    /// See ``entries``.
    public var quotedEntries: Int?
    /// Everything that was checked; only where one report was asked for.
    public var findings: [Finding]?
    /// The first entries that do not hold: check, index in the log, path, what is wrong.
    public var problems: [ReportProblem]?

    /// Puts a record together.
    public init(
        reference: String, vm: String, time: Int64, from: String, verdict: String,
        refusedChecks: [String] = [], entries: Int? = nil, quotedEntries: Int? = nil,
        findings: [Finding]? = nil, problems: [ReportProblem]? = nil
    ) {
        self.reference = reference
        self.vm = vm
        self.time = time
        self.from = from
        self.verdict = verdict
        self.refusedChecks = refusedChecks
        self.entries = entries
        self.quotedEntries = quotedEntries
        self.findings = findings
        self.problems = problems
    }
}

/// An entry of an IMA log that does not hold.
public struct ReportProblem: Codable, Equatable, Sendable {
    /// The check that it fails.
    public var check: String
    /// Its place in the log, from 0.
    public var index: Int
    /// The path in it.
    public var path: String
    /// The file's digest, as `sha256:` and hexadecimal digits; empty where the entry has none.
    public var digest: String?
    /// What is wrong.
    public var detail: String

    /// Puts a problem together.
    public init(check: String, index: Int, path: String, digest: String? = nil, detail: String) {
        self.check = check
        self.index = index
        self.path = path
        self.digest = digest
        self.detail = detail
    }
}

/// Answer of `GET /v1/vms/{id}/reports`, newest first.
public struct ReportList: Codable, Equatable, Sendable {
    /// The reports.
    public var reports: [ReportRecord]

    /// Wraps the records.
    public init(reports: [ReportRecord]) {
        self.reports = reports
    }
}

/// Body of the calls that change a VM's runtime state.
public struct RuntimeRequest: Codable, Equatable, Sendable {
    /// Why; 1 to 256 bytes.
    public var reason: String
    /// For how long, in seconds, where the call opens something: 60 to 604800.
    public var seconds: Int64?

    /// Wraps both.
    public init(reason: String, seconds: Int64? = nil) {
        self.reason = reason
        self.seconds = seconds
    }
}

/// Something that happened to a VM and is no launch and no report: snapshots, windows, tickets, resumption,
/// what its operators did to its application.
public struct VMEvent: Codable, Equatable, Sendable {
    /// Number of its row in the ledger.
    public var number: Int64
    /// The VM's id.
    public var vm: String
    /// When; seconds since 1970, UTC.
    public var time: Int64
    /// Such as `resumed`, `snapshot registered`, `window opened`, `reboot expected`, `app init`.
    public var kind: String
    /// The reason that was given, or what is worth knowing.
    public var detail: String

    /// Puts an event together.
    public init(number: Int64, vm: String, time: Int64, kind: String, detail: String) {
        self.number = number
        self.vm = vm
        self.time = time
        self.kind = kind
        self.detail = detail
    }
}

/// Answer of `GET /v1/vms/{id}/events`, newest first.
public struct EventList: Codable, Equatable, Sendable {
    /// The events.
    public var events: [VMEvent]

    /// Wraps the events.
    public init(events: [VMEvent]) {
        self.events = events
    }
}
