import Policy

/// A check that some verifier makes, by the name that its finding has.
protocol VerifierCheck: RawRepresentable<String> {}

extension VerifierCheck {
    /// A finding of this check.
    func finding(
        _ holds: Bool, expected: String, actual: String, note: String? = nil
    ) -> Finding {
        Finding(
            check: rawValue, outcome: holds ? .ok : .refused, expected: expected, actual: actual,
            note: note)
    }

    /// A finding of this check, refused if there are `faults`.
    func finding(faults: [String], expected: String, actual: String) -> Finding {
        finding(
            faults.isEmpty, expected: expected,
            actual: faults.isEmpty ? actual : faults.joined(separator: "; "))
    }

    /// A finding of this check when it could not be made, or is not asked for.
    func notChecked(expected: String, actual: String = "-", because note: String) -> Finding {
        Finding(
            check: rawValue, outcome: .notChecked, expected: expected, actual: actual, note: note)
    }
}
