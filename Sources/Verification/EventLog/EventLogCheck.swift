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
}

extension EventLogCheck: VerifierCheck {}
