import Bytes
import Policy

/// Whether a time lies within several spans.
enum TDXDates {
    /// Refuses with the words `expired` or `not yet valid`, which name the side that was missed.
    static func finding(
        _ check: TDXCheck, _ spans: [(name: String, from: Int64, until: Int64)], at time: Int64
    ) -> Finding {
        let expected = "valid at \(ISO8601.text(time))"
        guard let ending = spans.min(by: { $0.until < $1.until }) else {
            return check.notChecked(expected: expected, because: "nothing that can be read")
        }
        let expired = spans.filter { $0.until < time }
            .map { "\($0.name) expired at \(ISO8601.text($0.until))" }
        let early = spans.filter { time < $0.from }
            .map { "\($0.name) is not yet valid, from \(ISO8601.text($0.from)) on" }
        return check.finding(
            faults: expired + early, expected: expected,
            actual: "all, \(ending.name) until \(ISO8601.text(ending.until))")
    }
}
