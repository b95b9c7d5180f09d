import Authenticators
import Evidence
import Policy
import Verification

/// Checks of a running VM in the groups in which a person asks for them.
enum RuntimeGroup: String, CaseIterable {
    case evidence = "TEE evidence"
    case policy = "policy"
    case quote = "TPM quote"
    case log = "IMA log"
    case snapshot
    case reboot
    case applications
    case ssh = "SSH host keys"

    /// The group of a check; one that no other group has is the policy's.
    init(of check: String) {
        self = Self.known[check] ?? .policy
    }

    private static let known: [String: RuntimeGroup] = {
        var known: [String: RuntimeGroup] = [:]
        let ima = IMACheck.allCases.filter { $0 != .policy }.map(\.rawValue)
        let evidence =
            SNPCheck.allCases.map(\.rawValue) + TDXCheck.allCases.map(\.rawValue)
            + AzureCheck.allCases.map(\.rawValue) + EventLogCheck.allCases.map(\.rawValue)
            + [
                "evidence kind", "paravisor's report", RuntimeCheck.certificate.rawValue,
                RuntimeCheck.teePolicy.rawValue, Authentication.endorsementsCheck,
            ]
        let lists: [(RuntimeGroup, [String])] = [
            (.evidence, evidence),
            (
                .quote,
                TPMCheck.allCases.map(\.rawValue) + ["TPM key name", RuntimeCheck.key.rawValue]
            ),
            (.log, ima),
            (
                .snapshot,
                [
                    RuntimeCheck.snapshot.rawValue, SnapshotFile.signatureCheck,
                    SnapshotTaker.fileCheck,
                ]
            ),
            (.reboot, [RuntimeCheck.reboot.rawValue]), (.applications, [ApplicationCheck.check]),
            (.ssh, [SSHCheck.check]),
        ]
        for (group, checks) in lists {
            for check in checks { known[check] = group }
        }
        return known
    }()
}

extension RuntimeGroup {
    /// The check without which the others of the group say nothing; nil where each says something.
    fileprivate var leadingCheck: String? {
        switch self {
        case .quote: TPMCheck.signature.rawValue
        case .log: IMACheck.replay.rawValue
        case .snapshot: RuntimeCheck.snapshot.rawValue
        case .evidence, .policy, .reboot, .applications, .ssh: nil
        }
    }
}

/// One group as it is told.
struct RuntimeGroupSummary {
    let group: RuntimeGroup
    let findings: [Finding]

    /// Refused if one is, not checked if the leading one was not made, or none was; ok otherwise, and
    /// ``unchecked`` says what is open.
    var outcome: Finding.Outcome {
        if findings.contains(where: { $0.outcome == .refused }) { return .refused }
        return leading.contains { $0.outcome == .ok } ? .ok : .notChecked
    }

    /// Why nothing was checked that counts.
    var reason: String {
        (leading + findings).filter { $0.outcome == .notChecked }.compactMap(\.note).first
            ?? unchecked.joined(separator: ", ")
    }

    private var leading: [Finding] {
        guard let check = group.leadingCheck else { return findings }
        return findings.filter { $0.check == check }
    }

    /// The names of the checks that were not made.
    var unchecked: [String] {
        findings.filter { $0.outcome == .notChecked }.checks
    }

    /// What a person wants to know of a group that holds.
    func text(_ outcome: RuntimeLook.Outcome) -> String {
        let told: [String] =
            switch group {
            case .evidence:
                [outcome.platform ?? "", "fresh, over this connection and its certificate"]
            case .quote: ["key \(actual(.keyTrust))", "fresh"]
            case .log: [logText(outcome)]
            case .policy: [rulesText(findings.count { $0.outcome == .ok })]
            case .snapshot: findings.filter { $0.outcome == .ok }.map(Self.snapshotText)
            case .reboot, .applications, .ssh:
                findings.filter { $0.outcome == .ok }.map(\.actual)
            }
        let words = told.filter { !$0.isEmpty }.map(FindingLines.shortened).joined(separator: "; ")
        return unchecked.isEmpty
            ? words : "\(words); not checked: \(unchecked.joined(separator: ", "))"
    }

    private func rulesText(_ count: Int) -> String {
        count == 1 ? "1 rule holds" : "\(count) rules hold"
    }

    private static func snapshotText(_ finding: Finding) -> String {
        switch finding.check {
        case SnapshotFile.signatureCheck: "signed by \(finding.actual)"
        case SnapshotTaker.fileCheck: "the evidence names this file"
        default: "every entry is in it"
        }
    }

    private func actual(_ check: TPMCheck) -> String {
        findings.first { $0.check == check.rawValue && $0.outcome == .ok }?.actual ?? ""
    }

    private func logText(_ outcome: RuntimeLook.Outcome) -> String {
        guard let count = outcome.result.entryCount, let quoted = outcome.result.quotedCount else {
            return ""
        }
        let behind = count - quoted
        let rest =
            switch behind {
            case 0: ""
            case 1: "; 1 newer one will be looked at next time"
            default: "; \(behind) newer ones will be looked at next time"
            }
        return "\(quoted) entries replay to PCR 10\(rest)"
    }
}
