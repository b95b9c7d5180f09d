import Policy

/// The few rules that a case sets; the others do not count.
struct CasePolicy {
    var rules = PolicyRules(name: "case")
    var checks: Set<Check>

    init(checks: Set<Check>) {
        self.checks = checks
        // A case says what it wants by itself, so nothing is asked of the class.
        rules.lowestClass = .hostVTPM
    }

    /// What the rules that count make of `claims`.
    func findings(of claims: Claims) throws(VectorFault) -> [Finding] {
        let names = Set(checks.map(\.rawValue))
        do throws(PolicyError) {
            return try AppraisalPolicy(validating: rules).evaluate(claims, at: 0)
                .filter { names.contains($0.check) }
        } catch {
            throw VectorFault("policy: \(error.path): \(error.expected), got \(error.actual)")
        }
    }
}
