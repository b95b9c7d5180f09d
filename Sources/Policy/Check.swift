/// Every check that a policy makes; each that concerns a launch leaves exactly one ``Finding`` of its
/// name.
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
    /// The guest has no migration agent, and no service TD.
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
    /// The cloud provider that the signing key was lent to.
    case provider
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
    /// The firmware has closed known holes, now and at launch.
    case mitigations
    /// Age and presence of what the vendor says of revoked certificates and of old firmware.
    case endorsementAge = "endorsement age"
    /// The launch digest is a reference value.
    case measurement
    /// The disk's LUKS2 header is the enrolled one.
    case diskHeader = "disk header"
    /// The launch has not been used up.
    case reportID = "report ID"

    /// What a check needs to be made at all.
    enum Concern {
        /// Any authenticated evidence.
        case evidence
        /// A launch: the broker's records and clock.
        case launch
        /// An SNP report.
        case snp
    }

    var concern: Concern {
        switch self {
        case .identity, .vmState, .configDigest, .configAnchor, .diskHeader: .launch
        case .launchClass, .debug, .migration, .measurement, .endorsementAge: .evidence
        case .guestPolicy, .guestABI, .platform, .vmpl, .signingKey, .provider, .idKey,
            .authorKey, .chip, .minimumTCB, .launchTCB, .mitigations, .reportID:
            .snp
        }
    }

    /// Whether a policy may leave the requirement out; `not checked` then does not refuse.
    public var isOptional: Bool {
        switch self {
        case .guestPolicy, .guestABI, .platform, .provider, .idKey, .authorKey, .chip,
            .mitigations, .endorsementAge:
            true
        default: false
        }
    }

    /// Whether the check is made for such evidence.
    func concerns(_ claims: Claims) -> Bool {
        switch concern {
        case .evidence, .launch: true
        case .snp: claims.snp != nil
        }
    }
}

extension Check {
    /// The checks that are made of such evidence, in their order.
    public static func all(of claims: Claims) -> [Check] {
        allCases.filter { $0.concerns(claims) }
    }

    /// Whether `findings` permit a release: nothing refused, and every check of a policy made.
    ///
    /// A finding that is missing, doubled, or `not checked` without being optional refuses, so a rule
    /// that was forgotten cannot open a disk.
    public static func permitRelease(_ findings: [Finding], of claims: Claims) -> Bool {
        guard !findings.contains(where: { $0.outcome == .refused }) else { return false }
        return all(of: claims).allSatisfy { check in
            let own = findings.filter { $0.check == check.rawValue }
            return own.count == 1 && (own[0].outcome == .ok || check.isOptional)
        }
    }
}
