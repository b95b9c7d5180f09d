import Policy

/// Every check that an ``EventLogVerifier`` makes.
///
/// The names are stable. Of ``replay`` there is one finding for each register that does not replay, or
/// a single one when all do; of the others exactly one. `docs/event-logs.md` explains each.
public enum EventLogCheck: String, Sendable, Hashable, CaseIterable {
    /// The bytes are an event log.
    case format = "event log format"
    /// The events lead to the values that the registers hold.
    case replay = "event log"
    /// No register has more separators than the firmware makes.
    case separators = "event log separators"
    /// Every event was extended into a register whose value is vouched for.
    case coverage = "event log coverage"

    /// A finding of this check.
    func finding(
        _ holds: Bool, expected: String, actual: String, note: String? = nil
    ) -> Finding {
        Finding(
            check: rawValue, outcome: holds ? .ok : .refused, expected: expected, actual: actual,
            note: note)
    }

    /// A finding of this check when it was not made, or is not asked for.
    func notChecked(expected: String, actual: String = "-", because note: String) -> Finding {
        Finding(
            check: rawValue, outcome: .notChecked, expected: expected, actual: actual, note: note)
    }
}
