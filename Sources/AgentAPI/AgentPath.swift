/// The paths of `bootgate-agent`'s HTTPS interface; docs/runtime.md says what each takes and gives.
public enum AgentPath {
    /// Where the agent listens unless its config says otherwise.
    public static let defaultPort = 5555

    /// GET ``AgentStatus``.
    public static let about = "/v1/about"
    /// POST ``EvidenceRequest``: answers ``EvidenceAnswer``.
    public static let evidence = "/v1/evidence"
    /// GET the IMA log as the kernel has it; query `form` (`binary`, the default, or `ascii`) and `offset` in
    /// bytes, default 0. Answers `application/octet-stream`, up to the end that the log has now.
    public static let imaLog = "/v1/ima/log"
    /// GET the event log of the boot, `application/octet-stream`; 404 where there is none.
    public static let eventLog = "/v1/eventlog"
    /// GET ``SnapshotStatus``; POST starts a snapshot, DELETE stops it and deletes its file (both need a login).
    public static let snapshot = "/v1/snapshot"
    /// GET the finished snapshot, `application/json`, streamed.
    public static let snapshotFile = "/v1/snapshot/file"
    /// POST ``OwnersRequest``: answers ``OwnersAnswer``.
    public static let owners = "/v1/packages/owners"
    /// GET ``AppStatus``.
    public static let appStatus = "/v1/app/status"
    /// POST ``AppConfiguration`` (needs a login).
    public static let appInit = "/v1/app/init"
    /// POST without body; `start`, `stop` or `restart` (needs a login).
    public static func app(_ action: String) -> String { "/v1/app/\(action)" }
}
