/// Every check that a policy makes; each that concerns a launch leaves exactly one ``Finding`` of its
/// name.
///
/// The names are stable: ledgers, tools and tests refer to them. `docs/policy.md` explains each.
public enum Check: String, Sendable, Hashable, CaseIterable {
    /// The VM is enrolled.
    case identity
    /// The VM is enabled.
    case vmState = "VM state"
    /// No report of the running VM failed, or its owner has resumed it since.
    case runtimeState = "runtime state"
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
    /// How Intel rates the platform, the TDX module and the quoting enclave.
    case tcbStatus = "TCB status"
    /// Bits of TDATTRIBUTES.
    case tdAttributes = "TD attributes"
    /// The processor features that the TD may use.
    case xfam = "XFAM"
    /// The TDX module that runs the TD.
    case tdxModule = "TDX module"
    /// MROWNER.
    case tdOwner = "TD owner"
    /// MROWNERCONFIG.
    case tdOwnerConfig = "TD owner config"
    /// A TPM's quote, and why its key counts.
    case tpmQuote = "TPM"
    /// The banks that were quoted.
    case pcrBank = "PCR bank"
    /// The quoted registers are those of a boot that the owner knows.
    case pcrs = "PCRs"
    /// Every event of the boot's log is explained.
    case bootEvents = "boot events"
    /// Whether Secure Boot was on.
    case secureBoot = "Secure Boot"
    /// The certificates that let images in.
    case bootAuthorities = "boot authorities"
    /// The images that were started.
    case bootImages = "boot images"
    /// The drivers that were loaded.
    case bootDrivers = "boot drivers"
    /// What the kernel was given beside the image's own command line.
    case commandLine = "kernel command line"
    /// Age and presence of what the vendor says of revoked certificates and of old firmware.
    case endorsementAge = "endorsement age"
    /// The launch digest is a reference value.
    case measurement
    /// The disk's LUKS2 header is the enrolled one.
    case diskHeader = "disk header"
    /// The agent has not handed over to the system yet.
    case handOver = "hand-over"
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
        /// A TDX quote.
        case tdx
        /// A TPM's quote, there or asked for.
        case tpm
        /// A log of the boot, there or asked for.
        case boot
        /// Evidence that a running guest could make again: a TDX quote, or a TPM's.
        case repeatable
    }

    var concern: Concern {
        switch self {
        case .identity, .vmState, .runtimeState, .configDigest, .configAnchor, .diskHeader: .launch
        case .launchClass, .debug, .migration, .measurement, .endorsementAge: .evidence
        case .guestPolicy, .guestABI, .platform, .vmpl, .signingKey, .provider, .idKey,
            .authorKey, .chip, .minimumTCB, .launchTCB, .mitigations, .reportID:
            .snp
        case .tcbStatus, .tdAttributes, .xfam, .tdxModule, .tdOwner, .tdOwnerConfig: .tdx
        case .tpmQuote, .pcrBank, .pcrs: .tpm
        case .bootEvents, .secureBoot, .bootAuthorities, .bootImages, .bootDrivers, .commandLine:
            .boot
        case .handOver: .repeatable
        }
    }

    /// Whether only a launch can answer it: the broker's records and clock, or evidence from before the
    /// hand-over.
    var isAboutLaunch: Bool {
        switch concern {
        case .launch, .repeatable: true
        case .evidence, .snp, .tdx, .tpm, .boot: self == .reportID
        }
    }

    /// Whether it is made of the evidence of a running VM too: the broker's records of a launch, and marks that
    /// are set when a launch ends, say nothing there.
    var isMadeAtRuntime: Bool { !isAboutLaunch || self == .identity || self == .configAnchor }

    /// Whether a policy may leave the requirement out; `not checked` then does not refuse.
    public var isOptional: Bool {
        switch self {
        case .guestPolicy, .guestABI, .platform, .provider, .idKey, .authorKey, .chip,
            .mitigations, .endorsementAge, .tdAttributes, .xfam, .tdxModule, .tdOwner,
            .tdOwnerConfig, .tpmQuote, .pcrBank, .pcrs, .bootEvents, .secureBoot, .bootAuthorities,
            .bootImages, .bootDrivers, .commandLine:
            true
        default: false
        }
    }

    /// Whether the check is made for such evidence under such rules.
    func concerns(_ claims: Claims, _ rules: PolicyRules) -> Bool {
        switch concern {
        case .launch where self == .runtimeState:
            rules.runtime?.refusesLaunchAfterFailure ?? false
        case .evidence, .launch: true
        // A list of chips leaves out every machine that cannot name one.
        case .snp: claims.snp != nil || self == .chip && !rules.allowedChips.isEmpty
        case .tdx: claims.tdx != nil
        case .tpm: claims.tpm != nil || rules.tpm.needsQuote
        case .boot: claims.boot != nil || rules.boot.needsLog
        case .repeatable: claims.tdx != nil || claims.tpm != nil || rules.tpm.needsQuote
        }
    }
}

extension Check {
    /// Whether `findings` permit a release: nothing refused, and every one of `checks` made.
    ///
    /// A finding that is missing, doubled, or `not checked` without being optional refuses, so a rule
    /// that was forgotten cannot open a disk. `checks` are those of ``AppraisalPolicy/checks(for:)``.
    public static func permitRelease(_ findings: [Finding], checks: [Check]) -> Bool {
        guard !checks.isEmpty, !findings.contains(where: { $0.outcome == .refused }) else {
            return false
        }
        return permit(findings, checks: checks)
    }

    /// Whether `findings` accept evidence that is looked at by itself: as for a release, but for the rules
    /// about a launch.
    public static func permitAppraisal(_ findings: [Finding], checks: [Check]) -> Bool {
        guard !checks.isEmpty, !findings.contains(where: { $0.outcome == .refused }) else {
            return false
        }
        return permit(findings, checks: checks.filter { !$0.isAboutLaunch })
    }

    private static func permit(_ findings: [Finding], checks: [Check]) -> Bool {
        checks.allSatisfy { check in
            let own = findings.filter { $0.check == check.rawValue }
            return own.count == 1 && (own[0].outcome == .ok || check.isOptional)
        }
    }
}
