/// The paths of the admin API, on the Unix socket of `bootgate-broker`.
public enum AdminPath {
    /// Where the broker listens unless its config says otherwise.
    public static let defaultSocket = "/run/bootgate/admin.sock"

    /// GET ``BrokerStatus``.
    public static let status = "/v1/status"
    /// GET ``VMList``.
    public static let vms = "/v1/vms"
    /// GET ``PolicyList``.
    public static let policies = "/v1/policies"
    /// POST ``PolicyText``: checks without storing; answers ``PolicyRecord`` with `created` 0.
    public static let checkPolicy = "/v1/policies/check"
    /// GET ``LaunchList``; query `vm`, `decision`, `limit` (1 to 1000, default 50), newest first.
    public static let launches = "/v1/launches"
    /// GET ``EndorsementList``.
    public static let endorsements = "/v1/endorsements"
    /// GET a bundle (`docs/endorsements.md`), PUT one: answers ``EndorsementImport``.
    public static let endorsementBundle = "/v1/endorsements/bundle"

    /// GET ``VMRecord``, PUT ``Enrolment``, DELETE.
    public static func vm(_ id: String) -> String { "\(vms)/\(id)" }
    /// POST ``DisableRequest``, or no body.
    public static func disableVM(_ id: String) -> String { "\(vms)/\(id)/disable" }
    /// POST without body.
    public static func enableVM(_ id: String) -> String { "\(vms)/\(id)/enable" }
    /// GET ``PolicyRecord``, PUT ``PolicyText``.
    public static func policy(_ name: String) -> String { "\(policies)/\(name)" }
    /// GET ``LaunchRecord`` by reference (`L-00042`) or by launch id (32 hexadecimal digits).
    public static func launch(_ reference: String) -> String { "\(launches)/\(reference)" }

    /// GET ``RuntimeRecord``.
    public static func runtime(_ id: String) -> String { "\(vms)/\(id)/runtime" }
    /// POST ``RuntimeRequest``: forgets a failure. Answers ``RuntimeRecord``, as the four after it do.
    public static func resume(_ id: String) -> String { "\(vms)/\(id)/resume" }
    /// POST ``RuntimeRequest`` with `seconds`: lets the gate see one reboot.
    public static func expectReboot(_ id: String) -> String { "\(vms)/\(id)/expect-reboot" }
    /// POST ``RuntimeRequest`` with `seconds`: opens a maintenance window.
    public static func beginUpdate(_ id: String) -> String { "\(vms)/\(id)/update/begin" }
    /// POST ``RuntimeRequest``: closes it; the snapshot that is registered then counts.
    public static func endUpdate(_ id: String) -> String { "\(vms)/\(id)/update/end" }
    /// POST ``RuntimeRequest``: an event that the owner's program puts into the ledger, `kind` in the query.
    public static func events(_ id: String) -> String { "\(vms)/\(id)/events" }
    /// GET ``SnapshotRecord``; PUT the file, signature in the query as `signature` (hexadecimal, ECDSA over
    /// the file with SHA-256, DER) and `key` (hexadecimal, SubjectPublicKeyInfo): answers ``SnapshotRecord``.
    public static func snapshot(_ id: String) -> String { "\(vms)/\(id)/snapshot" }
    /// GET the file as it was registered.
    public static func snapshotFile(_ id: String) -> String { "\(vms)/\(id)/snapshot/file" }
    /// GET ``ReportList``; query `limit` (1 to 1000, default 50).
    public static func reports(_ id: String) -> String { "\(vms)/\(id)/reports" }
    /// GET ``ReportRecord`` by reference (`R-00012`), findings included.
    public static func report(_ reference: String) -> String { "/v1/reports/\(reference)" }
}
