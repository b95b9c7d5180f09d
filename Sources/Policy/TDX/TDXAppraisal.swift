import Bytes
import Evidence

/// The rules that only a TDX quote can be held to.
struct TDXAppraisal {
    let rules: TDXRules
    let claims: TDXClaims
    /// The judge's own clock, Unix seconds.
    let time: Int64

    /// The finding of a check that concerns TDX.
    func finding(_ check: Check) -> Finding {
        switch check {
        case .tcbStatus: status()
        case .tdAttributes: attributes()
        case .xfam: xfam()
        case .tdxModule: member(check, rules.modules, claims.body.mrSEAM)
        case .tdOwner: member(check, rules.owners, claims.body.mrOwner)
        case .tdOwnerConfig: member(check, rules.ownerConfigs, claims.body.mrOwnerConfig)
        default: Finding(check, holds: false, expected: "a rule of TDX", actual: "none")
        }
    }

    private func status() -> Finding {
        let accepted = TCBStatus.allCases.compactMap { status in
            rules.statuses[status].map { "\(status.rawValue)\(text($0))" }
        }
        let holds = claims.tcbStatus.flatMap { rules.statuses[$0] }.map { acceptance in
            switch acceptance {
            case .always: true
            case .until(let end): time <= end
            }
        }
        let advisories =
            claims.advisories.isEmpty ? nil : claims.advisories.joined(separator: ", ")
        return Finding(
            .tcbStatus, holds: holds ?? false,
            expected: accepted.isEmpty
                ? "a status; the policy has none"
                : accepted.joined(separator: " or "),
            actual: claims.tcbStatus?.rawValue ?? "unknown, there was no TCB info to look at",
            note: advisories)
    }

    private func text(_ acceptance: TDXRules.Acceptance) -> String {
        switch acceptance {
        case .always: ""
        case .until(let end): " until \(ISO8601.text(end))"
        }
    }

    private func attributes() -> Finding {
        let value = claims.body.tdAttributes.rawValue
        func isOn(_ bit: TDAttributeBit) -> Bool { value >> UInt64(bit.bit) & 1 == 1 }
        func list(_ bits: [TDAttributeBit], _ value: (TDAttributeBit) -> Bool) -> String {
            bits.map { "\($0.rawValue) \(value($0) ? "on" : "off")" }.joined(separator: ", ")
        }
        let wanted = TDAttributeBit.allCases.filter { rules.attributes[$0] != nil }
        guard !wanted.isEmpty else {
            return Finding(unset: .tdAttributes, actual: list(TDAttributeBit.allCases, isOn))
        }
        return Finding(
            .tdAttributes, holds: wanted.allSatisfy { rules.attributes[$0] == isOn($0) },
            expected: list(wanted) { rules.attributes[$0] == true }, actual: list(wanted, isOn))
    }

    private func xfam() -> Finding {
        let actual = "0x" + String(claims.body.xfam, radix: 16)
        guard let wanted = rules.xfam else { return Finding(unset: .xfam, actual: actual) }
        return Finding(
            .xfam, holds: claims.body.xfam == wanted, expected: "0x" + String(wanted, radix: 16),
            actual: actual)
    }

    private func member(
        _ check: Check, _ known: Set<FixedBytes<48>>, _ actual: FixedBytes<48>
    ) -> Finding {
        guard !known.isEmpty else { return Finding(unset: check, actual: actual.hex) }
        return Finding(
            check, holds: known.contains(actual),
            expected: known.map { $0.hex }.sorted().joined(separator: " or "), actual: actual.hex)
    }
}
