public import Bytes
public import Evidence

/// A sound set of rules for a launch: data that is stored, hashed, compared and shown.
public struct AppraisalPolicy: Sendable, Equatable {
    /// What the owner wrote down.
    public let rules: PolicyRules

    /// Takes `rules` if they can mean what they say.
    public init(validating rules: PolicyRules) throws(PolicyError) {
        try rules.validate()
        self.rules = rules
    }

    /// What the owner calls it.
    public var name: String { rules.name }
    /// What the owner says about it.
    public var description: String { rules.description }

    /// The canonical form: one byte string for one meaning, whatever the file looked like.
    public var canonicalBytes: [UInt8] { rules.canonicalBytes }

    /// SHA-256 of the canonical form: what ledgers and approvals refer to.
    public func identity(hashing: any Hashing) -> FixedBytes<32> {
        hashing.sha256(canonicalBytes)
    }

    /// Judges one launch. Every rule is evaluated, even when one has failed: there is one finding for
    /// each ``Check`` of ``checks(for:)``, in that order. ``Check/permitRelease(_:checks:)`` sums them up.
    public func evaluate(_ claims: Claims, in context: LaunchContext) -> [Finding] {
        findings(of: claims, context, at: context.now)
    }

    /// Judges evidence by itself, at `time` (Unix seconds): rules about a launch are not checked.
    public func evaluate(_ claims: Claims, at time: Int64) -> [Finding] {
        findings(of: claims, nil, at: time)
    }

    /// Judges what a TPM or a log says where no processor speaks: all rules about processors and launches
    /// are not checked.
    public func evaluate(tpm: TPMClaims?, boot: BootFacts?) -> [Finding] {
        Check.allCases.compactMap { check in
            switch check.concern {
            case .tpm where tpm != nil:
                TPMAppraisal(rules: rules.tpm, claims: tpm).finding(check)
            case .boot where boot != nil || tpm != nil && rules.boot.needsLog:
                BootAppraisal(rules: rules.boot, facts: boot).finding(check)
            case .launch where check == .runtimeState: nil
            case .launch: .withoutLaunch(check)
            case .evidence: .withoutHardware(check)
            case .snp, .tdx, .tpm, .boot, .repeatable: nil
            }
        }
    }

    private func findings(
        of claims: Claims, _ context: LaunchContext?, at time: Int64
    ) -> [Finding] {
        let appraisal = Appraisal(rules: rules, claims: claims, context: context, time: time)
        return checks(for: claims).map(appraisal.finding)
    }

    /// The class of a launch with such evidence: of the weakest of what vouches for the whole boot.
    public func launchClass(of claims: Claims) -> LaunchClass {
        Appraisal(rules: rules, claims: claims, context: nil, time: 0).launchClass
    }

    /// The checks that are made of such evidence, in their order.
    public func checks(for claims: Claims) -> [Check] {
        Check.allCases.filter { $0.concerns(claims, rules) }
    }

    /// The findings for a VM that nobody enrolled: there is no policy to judge it by.
    public static func findings(forUnknownVM vm: String) -> [Finding] {
        Check.allCases.filter { $0 != .runtimeState }.map { check in
            check == .identity
                ? Finding(check, holds: false, expected: "an enrolled VM", actual: vm)
                : Finding(
                    check: check.rawValue, outcome: .notChecked,
                    expected: "nothing to compare with",
                    actual: "-", note: "the VM is not enrolled, so no policy applies")
        }
    }
}
