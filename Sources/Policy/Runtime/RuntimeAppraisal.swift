public import Bytes

/// What the broker's records say of the VM that a runtime report is of.
public struct RuntimeContext: Sendable, Equatable {
    /// The VM.
    public var vm: String
    /// SHA-256 of its configuration, as enrolled.
    public var enrolledConfigDigest: FixedBytes<32>

    /// Takes both.
    public init(vm: String, enrolledConfigDigest: FixedBytes<32>) {
        self.vm = vm
        self.enrolledConfigDigest = enrolledConfigDigest
    }
}

extension AppraisalPolicy {
    /// Judges the evidence of a running VM at `time` (Unix seconds): every rule that ``runtimeChecks(for:)``
    /// lists, in that order. ``Check/permitAppraisal(_:checks:)`` of the same list sums them up.
    ///
    /// - Parameter context: the broker's records; without them the VM's identity and where its configuration
    ///   is anchored are not checked.
    public func evaluateRuntime(
        _ claims: Claims, in context: RuntimeContext? = nil, at time: Int64
    ) -> [Finding] {
        let appraisal = Appraisal(rules: rules, claims: claims, context: nil, time: time)
        return runtimeChecks(for: claims).map { check in
            switch (check, context) {
            case (.identity, let context?):
                Finding(check, holds: true, expected: "an enrolled VM", actual: context.vm)
            case (.configAnchor, let context?):
                appraisal.configAnchor(context.enrolledConfigDigest)
            case (.identity, nil), (.configAnchor, nil):
                Finding(
                    check: check.rawValue, outcome: .notChecked, expected: "an enrolled VM",
                    actual: "evidence by itself", note: "no VM's records were given")
            default: appraisal.finding(check)
            }
        }
    }

    /// The checks that are made of such evidence of a running VM, in their order.
    public func runtimeChecks(for claims: Claims) -> [Check] {
        checks(for: claims).filter(\.isMadeAtRuntime)
    }
}
