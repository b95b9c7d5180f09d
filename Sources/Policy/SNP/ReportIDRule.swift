import Bytes

extension SNPAppraisal {
    /// After its first release a REPORT_ID is good for this long, in seconds.
    static let releaseWindow: Int64 = 600

    /// A running guest can ask for the same measurement as the booting one, so the evidence of a
    /// launch dies with its proof of unlock, and soon after its first release in any case.
    func reportID() -> Finding {
        let expected =
            "no proof of unlock yet, and at most \(Self.releaseWindow) s since the first release"
        guard let context else {
            return Finding(
                check: Check.reportID.rawValue, outcome: .notChecked, expected: expected,
                actual: claims.reportID.hex, note: "no VM is launched with it")
        }
        switch context.reportIDHistory {
        case .never:
            return Finding(.reportID, holds: true, expected: expected, actual: "no release yet")
        case .releasedAt(let first, let unlocked):
            let (age, overflow) = context.now.subtractingReportingOverflow(first)
            let released = "first released \(age) s ago"
            return Finding(
                .reportID,
                // A clock that went back says nothing about how much time has passed.
                holds: !unlocked && !overflow && (0...Self.releaseWindow).contains(age),
                expected: expected,
                actual: unlocked ? "already unlocked, \(released)" : released)
        }
    }
}
