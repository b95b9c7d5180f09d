/// What one check saw: always with what was expected and what came, never a bare verdict.
public struct Finding: Sendable, Equatable, Codable {
    /// How a check ended.
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// The check was made and held.
        case ok
        /// The check was made and did not hold.
        case refused
        /// The check was not made; ``Finding/note`` says why. Never to be shown as passed.
        case notChecked = "not checked"
    }

    /// Stable name of the check, such as `measurement`.
    public let check: String
    /// How it ended.
    public let outcome: Outcome
    /// What would have held.
    public let expected: String
    /// What came.
    public let actual: String
    /// What else an owner should know, such as why a check was not made.
    public let note: String?

    /// Takes everything as given.
    public init(
        check: String, outcome: Outcome, expected: String, actual: String, note: String? = nil
    ) {
        self.check = check
        self.outcome = outcome
        self.expected = expected
        self.actual = actual
        self.note = note
    }
}

extension Finding {
    init(_ check: Check, holds: Bool, expected: String, actual: String, note: String? = nil) {
        self.init(
            check: check.rawValue, outcome: holds ? .ok : .refused, expected: expected,
            actual: actual, note: note)
    }

    /// A requirement that the policy may set and does not.
    init(unset check: Check, actual: String) {
        self.init(
            check: check.rawValue, outcome: .notChecked, expected: "no requirement",
            actual: actual, note: "the policy sets none")
    }

    /// A rule about a launch, where evidence is looked at by itself.
    static func withoutLaunch(_ check: Check) -> Finding {
        Finding(
            check: check.rawValue, outcome: .notChecked, expected: "a launch",
            actual: "evidence by itself", note: "no VM is launched with it")
    }

    /// A rule about a processor, where a TPM or a log speaks alone.
    static func withoutHardware(_ check: Check) -> Finding {
        Finding(
            check: check.rawValue, outcome: .notChecked, expected: "a processor's report",
            actual: "none", note: "no processor speaks here")
    }
}
