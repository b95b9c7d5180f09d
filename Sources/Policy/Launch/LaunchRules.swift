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
        case .runtimeState:
            Finding(
                check, holds: !context.runtimeHasFailed, expected: "no failed report",
                actual: context.runtimeHasFailed
                    ? "failed; `bootgate vm resume` lets it boot" : "none")
        case .configDigest:
            Finding(
                check, holds: context.configDigest == context.enrolledConfigDigest,
                expected: context.enrolledConfigDigest.hex, actual: context.configDigest.hex)
        case .configAnchor: configAnchor(context.enrolledConfigDigest)
        case .diskHeader: diskHeader(context)
        default: Finding(check, holds: false, expected: "a rule of launches", actual: "none")
        }
    }

    /// Whether the processor vouches for the configuration of this digest.
    func configAnchor(_ digest: FixedBytes<32>) -> Finding {
        switch (rules.anchor, claims.hardware) {
        case (.hostData, .snp(let snp)):
            return Finding(
                .configAnchor, holds: snp.hostData == digest, expected: "HOST_DATA \(digest.hex)",
                actual: "HOST_DATA \(snp.hostData.hex)")
        case (.hostData, .tdx):
            return Finding(
                .configAnchor, holds: false, expected: "HOST_DATA \(digest.hex)",
                actual: "a TDX quote, which has no HOST_DATA")
        case (.mrconfigid, .tdx(let tdx)):
            // 48 bytes: the digest, and 16 zero bytes.
            let wanted = digest.hex + String(repeating: "0", count: 32)
            return Finding(
                .configAnchor, holds: tdx.body.mrConfigID.hex == wanted,
                expected: "MRCONFIGID \(wanted)", actual: "MRCONFIGID \(tdx.body.mrConfigID.hex)")
        case (.mrconfigid, .snp):
            return Finding(
                .configAnchor, holds: false, expected: "MRCONFIGID of \(digest.hex)",
                actual: "an SNP report, which has no MRCONFIGID")
        case (.measuredImage, _):
            let pcrs = TPMAppraisal(rules: rules.tpm, claims: claims.tpm).reference
            var covers = (reference?.covers ?? []).union(pcrs?.covers ?? [])
            // What the log's rules cover counts once they were held to a log, whatever came of it there.
            if claims.boot != nil { covers.formUnion(rules.boot.covers) }
            return Finding(
                .configAnchor, holds: reference != nil && covers.contains(.config),
                expected: "a reference measurement that covers config",
                actual: reference == nil
                    ? "a measurement that the policy does not know" : PolicyRules.list(covers))
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
