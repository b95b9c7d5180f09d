/// Whether a VM may be given its key at all.
public enum VMState: String, Codable, Sendable {
    /// Launches are judged by the policy.
    case enabled
    /// Every launch is refused.
    case disabled
}

/// What the broker knows about an enrolled VM; holds no secret.
public struct VMRecord: Codable, Equatable, Sendable {
    /// The VM's id, as in its `gate.conf`.
    public var id: String
    /// Whether launches are judged or refused outright.
    public var state: VMState
    /// Why it was disabled, where a reason was given.
    public var disabledReason: String?
    /// Name of the policy that its launches are judged by.
    public var policy: String
    /// SHA-256 of that policy's canonical form as it is now, in hexadecimal.
    public var policyIdentity: String
    /// SHA-256 of the VM's `gate.conf`, in hexadecimal.
    public var configDigest: String
    /// The `gate.conf` itself; nothing in it is secret.
    public var gateConf: String
    /// Digest of the LUKS2 header as of design section 3, in hexadecimal.
    public var headerDigest: String
    /// UUID of the LUKS2 volume.
    public var luksUUID: String
    /// The keyslot that the released key opens.
    public var keyslot: Int
    /// Name of the key, as in `gate.conf`.
    public var keyName: String
    /// When it was enrolled first; seconds since 1970, UTC.
    public var created: Int64
    /// When it was enrolled, enabled or disabled last; seconds since 1970, UTC.
    public var updated: Int64
    /// Reference of its newest launch.
    public var lastLaunch: String?

    /// Puts a record together.
    public init(
        id: String, state: VMState, disabledReason: String? = nil, policy: String,
        policyIdentity: String, configDigest: String, gateConf: String, headerDigest: String,
        luksUUID: String, keyslot: Int, keyName: String, created: Int64, updated: Int64,
        lastLaunch: String? = nil
    ) {
        self.id = id
        self.state = state
        self.disabledReason = disabledReason
        self.policy = policy
        self.policyIdentity = policyIdentity
        self.configDigest = configDigest
        self.gateConf = gateConf
        self.headerDigest = headerDigest
        self.luksUUID = luksUUID
        self.keyslot = keyslot
        self.keyName = keyName
        self.created = created
        self.updated = updated
        self.lastLaunch = lastLaunch
    }
}

/// Answer of `GET /v1/vms`, by id.
public struct VMList: Codable, Equatable, Sendable {
    /// All enrolled VMs.
    public var vms: [VMRecord]

    /// Wraps the records.
    public init(vms: [VMRecord]) {
        self.vms = vms
    }
}

/// Body of `POST /v1/vms/{id}/disable`.
public struct DisableRequest: Codable, Equatable, Sendable {
    /// Why; shown to owners, at most 256 bytes.
    public var reason: String?

    /// Wraps a reason.
    public init(reason: String? = nil) {
        self.reason = reason
    }
}
