import Bytes
import Evidence

extension Appraisal {
    /// The rules that look at the broker's own records.
    func launchFinding(_ check: Check, _ context: LaunchContext) -> Finding {
        switch check {
        case .identity:
            Finding(check, holds: true, expected: "an enrolled VM", actual: context.vm)
        case .vmState:
            Finding(
                check, holds: context.vmIsEnabled, expected: "enabled",
                actual: context.vmIsEnabled ? "enabled" : "disabled")
        case .configDigest:
            Finding(
                check, holds: context.configDigest == context.enrolledConfigDigest,
                expected: context.enrolledConfigDigest.hex, actual: context.configDigest.hex)
        case .configAnchor: configAnchor(context)
        case .diskHeader: diskHeader(context)
        default: Finding(check, holds: false, expected: "a rule of launches", actual: "none")
        }
    }

    private func configAnchor(_ context: LaunchContext) -> Finding {
        let digest = context.enrolledConfigDigest
        switch (rules.anchor, claims.hardware) {
        case (.hostData, .snp(let snp)):
            return Finding(
                .configAnchor, holds: snp.hostData == digest, expected: "HOST_DATA \(digest.hex)",
                actual: "HOST_DATA \(snp.hostData.hex)")
        case (.mrconfigid, .snp):
            return Finding(
                .configAnchor, holds: false, expected: "MRCONFIGID of \(digest.hex)",
                actual: "an SNP report, which has no MRCONFIGID")
        case (.measuredImage, _):
            return Finding(
                .configAnchor, holds: reference?.covers.contains(.config) == true,
                expected: "a reference measurement that covers config",
                actual: reference.map { PolicyRules.list($0.covers) }
                    ?? "a measurement that the policy does not know")
        }
    }

    private func diskHeader(_ context: LaunchContext) -> Finding {
        let known = context.enrolledHeaderDigests
        return Finding(
            .diskHeader, holds: known.contains(context.headerDigest),
            expected: known.isEmpty
                ? "an enrolled header; there is none"
                : known.map { $0.hex }.joined(separator: " or "),
            actual: context.headerDigest.hex)
    }
}
