import Bytes
import Evidence

/// The rules that a TPM's quote is held to.
struct TPMAppraisal {
    let rules: TPMRules
    /// Nil where no quote came, or none that is authentic.
    let claims: TPMClaims?

    /// The register that the agent extends before it hands over, and the event's text.
    static let handOverRegister: UInt8 = 15

    /// The finding of a check that concerns TPMs.
    func finding(_ check: Check) -> Finding {
        switch check {
        case .tpmQuote: quote()
        case .pcrBank: bank()
        case .pcrs: registers()
        default: Finding(check, holds: false, expected: "a rule of TPMs", actual: "none")
        }
    }

    /// The reference that the quoted registers match; nil where none does.
    var reference: ReferencePCRs? {
        guard let claims else { return nil }
        return rules.references.first { reference in
            guard rules.allowsSHA1 || reference.bank != .sha1 else { return false }
            return reference.values.allSatisfy { index, value in
                claims.pcrs[reference.bank, index] == value
            }
        }
    }

    private func quote() -> Finding {
        let actual = claims.map { "a quote, its key trusted by \($0.keyTrust.rawValue)" }
        guard rules.needsQuote || claims != nil else {
            return Finding(unset: .tpmQuote, actual: "no quote")
        }
        let trusts = AttestationKeyTrust.allCases.filter(rules.keyTrusts.contains)
        return Finding(
            .tpmQuote, holds: claims.map { rules.keyTrusts.contains($0.keyTrust) } ?? false,
            expected: "a quote, its key trusted by "
                + trusts.map(\.rawValue).joined(separator: " or "),
            actual: actual ?? "no quote")
    }

    /// Collisions of SHA-1 are made at will, so a register of such a bank can hold what was never measured.
    private func bank() -> Finding {
        guard let claims else { return Finding(unset: .pcrBank, actual: "no quote") }
        let banks = HashAlgorithm.allCases.filter { claims.pcrs.banks[$0] != nil }
        let names = banks.map(\.rawValue).joined(separator: ", ")
        // A log counts by whatever bank its register was quoted in.
        let better = Set(
            banks.filter { $0 != .sha1 }.flatMap { claims.pcrs.banks[$0, default: [:]].keys })
        let weak = Set(claims.pcrs.banks[.sha1, default: [:]].keys).subtracting(better)
        return Finding(
            .pcrBank, holds: rules.allowsSHA1 || !better.isEmpty && weak.isEmpty,
            expected: rules.allowsSHA1
                ? "any bank" : "a bank other than sha1, with each register that was quoted",
            actual: better.isEmpty || weak.isEmpty
                ? names : "\(names); \(weak.sorted()) of sha1 only")
    }

    private func registers() -> Finding {
        guard !rules.references.isEmpty else {
            return Finding(
                unset: .pcrs, actual: claims.map { "\($0.pcrs.selectionText)" } ?? "no quote")
        }
        let known = rules.references.map { "\"\($0.label)\" \(Self.text($0.values, $0.bank))" }
        let shown = Set(
            rules.references.flatMap { reference in
                reference.values.keys.map { Shown(bank: reference.bank, index: $0) }
            })
        let actual = claims.map { claims in
            shown.sorted().map { one in
                let value = claims.pcrs[one.bank, one.index].map(Hex.encode) ?? "not quoted"
                return "\(one.bank.rawValue):\(one.index) \(value)"
            }.joined(separator: ", ")
        }
        return Finding(
            .pcrs, holds: reference != nil, expected: known.joined(separator: " or "),
            actual: actual ?? "no quote",
            note: reference.map { "\"\($0.label)\" covers \(PolicyRules.list($0.covers))" })
    }

    private struct Shown: Hashable, Comparable {
        let bank: HashAlgorithm
        let index: UInt8

        static func < (left: Self, right: Self) -> Bool {
            (left.bank.size, left.index) < (right.bank.size, right.index)
        }
    }

    private static func text(_ values: [UInt8: [UInt8]], _ bank: HashAlgorithm) -> String {
        values.sorted { $0.key < $1.key }
            .map { "\(bank.rawValue):\($0.key) \(Hex.encode($0.value))" }
            .joined(separator: ", ")
    }
}

extension PCRValues {
    /// Which registers were quoted.
    var selectionText: String { selection.map { "\($0)" } ?? "no registers" }
}
