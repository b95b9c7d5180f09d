import Bytes
import Evidence

extension SNPAppraisal {
    /// Bits that have to be as the policy wants them; only those are shown.
    func bits<Bit: RawRepresentable<String> & Hashable & CaseIterable>(
        _ check: Check, _ wanted: [Bit: Bool], _ value: (Bit) -> Bool
    ) -> Finding {
        func list(_ bits: [Bit], _ value: (Bit) -> Bool) -> String {
            bits.map { "\($0.rawValue) \(value($0) ? "on" : "off")" }.joined(separator: ", ")
        }
        guard !wanted.isEmpty else {
            return Finding(unset: check, actual: list(Array(Bit.allCases), value))
        }
        let shown = Bit.allCases.filter { wanted[$0] != nil }
        return Finding(
            check, holds: shown.allSatisfy { wanted[$0] == value($0) },
            expected: list(shown) { wanted[$0] == true }, actual: list(shown, value))
    }

    func guestABI() -> Finding {
        let actual = ABIVersion(
            major: claims.guestPolicy.abiMajor, minor: claims.guestPolicy.abiMinor)
        guard let minimum = rules.minimumABI else {
            return Finding(unset: .guestABI, actual: "\(actual)")
        }
        return Finding(
            .guestABI, holds: actual >= minimum, expected: "at least \(minimum)",
            actual: "\(actual)")
    }

    func key(_ check: Check, _ known: Set<FixedBytes<48>>, _ digest: FixedBytes<48>?) -> Finding {
        let actual = digest.flatMap { $0.isZero ? nil : $0 }
        guard !known.isEmpty else { return Finding(unset: check, actual: actual?.hex ?? "none") }
        return Finding(
            check, holds: actual.map(known.contains) ?? false,
            expected: known.map { $0.hex }.sorted().joined(separator: " or "),
            actual: actual?.hex ?? "none")
    }
}

extension GuestPolicy {
    func value(_ bit: GuestPolicyBit) -> Bool {
        switch bit {
        case .smt: allowsSMT
        case .singleSocket: requiresSingleSocket
        case .cxl: allowsCXL
        case .aes256XTS: requiresAES256XTS
        case .raplDisabled: requiresRAPLDisabled
        case .ciphertextHiding: requiresCiphertextHiding
        case .pageSwapDisabled: disablesPageSwap
        }
    }
}

extension PlatformInfo {
    func value(_ bit: PlatformBit) -> Bool {
        switch bit {
        case .smt: hasSMT
        case .tsme: hasTSME
        case .ecc: hasECC
        case .raplDisabled: hasRAPLDisabled
        case .ciphertextHiding: hasCiphertextHiding
        case .aliasCheck: hasAliasCheck
        }
    }
}
