import Bytes
import Evidence

extension SNPAppraisal {
    func tcb(_ check: Check, _ actual: TCBVersion) -> Finding {
        let product = claims.product.rawValue
        guard let minimum = rules.minimumTCB[claims.product] else {
            let listed = SNPProduct.allCases.filter { rules.minimumTCB[$0] != nil }
            return Finding(
                check, holds: false,
                expected: listed.isEmpty
                    ? "a minimum for the processor; the policy has none"
                    : listed.map(\.rawValue).joined(separator: " or "),
                actual: "\(product), \(actual)")
        }
        // A part without a minimum or without a value has nothing to be compared with.
        let holds = claims.product.components.allSatisfy { part in
            guard let least = minimum[part], let value = actual[part] else { return false }
            return value >= least
        }
        let parts = claims.product.components.map { part in
            "\(part.rawValue) \(minimum[part].map { "\($0)" } ?? "?")"
        }
        return Finding(
            check, holds: holds,
            expected: "\(product), at least \(parts.joined(separator: ", "))",
            actual: "\(product), \(actual)")
    }

    func signingKey() -> Finding {
        let kinds = SNPSigningKey.allCases.filter(rules.signingKeys.contains)
        return Finding(
            .signingKey, holds: claims.signingKey != .none && kinds.contains(claims.signingKey),
            expected: kinds.map(\.rawValue).joined(separator: " or "),
            actual: claims.signingKey.rawValue)
    }

    func chip() -> Finding {
        let actual = claims.chipID?.hex ?? "hidden by the host"
        var expected: [String] = []
        if !rules.allowedChips.isEmpty {
            let allowed = rules.allowedChips.map { $0.hex }.sorted()
            expected.append("one of \(allowed.joined(separator: ", "))")
        }
        if !rules.deniedChips.isEmpty {
            let denied = rules.deniedChips.map { $0.hex }.sorted()
            expected.append("none of \(denied.joined(separator: ", "))")
        }
        guard !expected.isEmpty else { return Finding(unset: .chip, actual: actual) }
        // A hidden chip could be any, so it satisfies neither list.
        let holds = claims.chipID.map { chip in
            (rules.allowedChips.isEmpty || rules.allowedChips.contains(chip))
                && !rules.deniedChips.contains(chip)
        }
        return Finding(
            .chip, holds: holds ?? false, expected: expected.joined(separator: " and "),
            actual: actual)
    }
}
