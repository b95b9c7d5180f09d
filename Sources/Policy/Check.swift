/// Every check that a policy makes; each leaves exactly one ``Finding`` of this name.
///
/// The names are stable: ledgers, tools and tests refer to them. `docs/policy.md` explains each.
public enum Check: String, Sendable, Hashable, CaseIterable {
    /// The VM is enrolled.
    case identity
    /// The VM is enabled.
    case vmState = "VM state"
    /// The configuration that the VM names is the enrolled one.
    case configDigest = "config digest"
    /// The processor vouches for that configuration.
    case configAnchor = "config anchor"
    /// The class of the launch.
    case launchClass = "launch class"
    /// The host cannot debug the guest.
    case debug
    /// The guest has no migration agent.
    case migration
    /// Other bits of the guest policy.
    case guestPolicy = "guest policy"
    /// The lowest firmware ABI that the guest policy allows.
    case guestABI = "guest ABI"
    /// How the platform is set up.
    case platform
    /// The privilege level that asked for the report.
    case vmpl = "VMPL"
    /// The kind of key that signed the report.
    case signingKey = "signing key"
    /// The key that signed the ID block.
    case idKey = "ID key"
    /// The key that signed the ID key.
    case authorKey = "author key"
    /// The chip is allowed and not denied.
    case chip
    /// The firmware whose versions made the signing key is new enough.
    case minimumTCB = "minimum TCB"
    /// The firmware that launched the guest is new enough.
    case launchTCB = "launch TCB"
    /// The launch digest is a reference value.
    case measurement
    /// The disk's LUKS2 header is the enrolled one.
    case diskHeader = "disk header"
    /// The launch has not been used up.
    case reportID = "report ID"

    /// Whether a policy may leave the requirement out; `not checked` then does not refuse.
    public var isOptional: Bool {
        switch self {
        case .guestPolicy, .guestABI, .platform, .idKey, .authorKey, .chip: true
        default: false
        }
    }
}

extension Check {
    /// Whether `findings` permit a release: nothing refused, and every check of a policy made.
    ///
    /// A finding that is missing, doubled, or `not checked` without being optional refuses, so a rule
    /// that was forgotten cannot open a disk.
    public static func permitRelease(_ findings: [Finding]) -> Bool {
        guard !findings.contains(where: { $0.outcome == .refused }) else { return false }
        return allCases.allSatisfy { check in
            let own = findings.filter { $0.check == check.rawValue }
            return own.count == 1 && (own[0].outcome == .ok || check.isOptional)
        }
    }
}
