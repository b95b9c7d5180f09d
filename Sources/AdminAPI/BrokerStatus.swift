/// Answer of `GET /v1/status`.
public struct BrokerStatus: Codable, Equatable, Sendable {
    /// The broker's version.
    public var version: String
    /// When it started; seconds since 1970, UTC.
    public var started: Int64
    /// Rows in the ledger.
    public var launches: Int
    /// Enrolled VMs.
    public var vms: Int
    /// Addresses of the launch listeners, `host:port`.
    public var listen: [String]
    /// What `gate.conf` has to pin: SHA-256 of the SubjectPublicKeyInfo, in hexadecimal.
    public var pins: [String]
    /// Refusals since the start by reason, those included that were too many for a ledger row each.
    public var refusals: [String: Int]

    /// Puts an answer together.
    public init(
        version: String, started: Int64, launches: Int, vms: Int, listen: [String],
        pins: [String], refusals: [String: Int]
    ) {
        self.version = version
        self.started = started
        self.launches = launches
        self.vms = vms
        self.listen = listen
        self.pins = pins
        self.refusals = refusals
    }
}
