import Bytes
import Evidence

extension Appraisal {
    private var reference: ReferenceMeasurement? {
        rules.measurements.first { $0.value == claims.measurement }
    }

    func measurement() -> Finding {
        let known = rules.measurements.map { "\"\($0.label)\" \($0.value.hex)" }
        return Finding(
            .measurement, holds: reference != nil,
            expected: known.isEmpty
                ? "a reference value; the policy has none" : known.joined(separator: " or "),
            actual: claims.measurement.hex,
            note: reference.map { "\"\($0.label)\" covers \(PolicyRules.list($0.covers))" })
    }

    func configAnchor() -> Finding {
        switch rules.anchor {
        case .hostData:
            Finding(
                .configAnchor, holds: claims.hostData == context.enrolledConfigDigest,
                expected: "HOST_DATA \(context.enrolledConfigDigest.hex)",
                actual: "HOST_DATA \(claims.hostData.hex)")
        case .mrconfigid:
            Finding(
                .configAnchor, holds: false,
                expected: "MRCONFIGID of \(context.enrolledConfigDigest.hex)",
                actual: "an SNP report, which has no MRCONFIGID")
        case .measuredImage:
            Finding(
                .configAnchor, holds: reference?.covers.contains(.config) == true,
                expected: "a reference measurement that covers config",
                actual: reference.map { PolicyRules.list($0.covers) }
                    ?? "a measurement that the policy does not know")
        }
    }

    func diskHeader() -> Finding {
        let known = context.enrolledHeaderDigests
        return Finding(
            .diskHeader, holds: known.contains(context.headerDigest),
            expected: known.isEmpty
                ? "an enrolled header; there is none"
                : known.map { $0.hex }.joined(separator: " or "),
            actual: context.headerDigest.hex)
    }

    /// A running guest can ask for the same measurement as the booting one, so the evidence of a
    /// launch dies with its proof of unlock, and soon after its first release in any case.
    func reportID() -> Finding {
        let expected =
            "no proof of unlock yet, and at most \(Self.releaseWindow) s since the first release"
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
