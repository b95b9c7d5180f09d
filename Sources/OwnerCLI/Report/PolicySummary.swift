import Bytes
import Evidence
import Policy

/// What a policy demands, in a few lines for its owner.
struct PolicySummary {
    let rules: PolicyRules

    /// One line for each thing that is demanded, the name padded to one width.
    var lines: [String] {
        let measurements = rules.measurements.map { "\"\($0.label.shown)\"" }
        var parts = [
            ("class", "at least \(rules.lowestClass.rawValue)"),
            ("anchor", rules.anchor.rawValue),
            ("measurements", measurements.isEmpty ? "none" : Self.list(measurements)),
        ]
        if rules.measurements.contains(where: \.isTD) { parts += tdx }
        parts += tpm + boot
        if let days = rules.maximumEndorsementAge {
            parts.append(("endorsements", "revocation list at most \(days) days old"))
        } else if rules.requiresRevocationList {
            parts.append(("endorsements", "a revocation list"))
        }
        parts += runtime
        return parts.map { "  \($0.padded(to: 14)) \($1)" }
    }

    private var tdx: [(String, String)] {
        let rules = rules.tdx
        let statuses = TCBStatus.allCases.compactMap { status in
            rules.statuses[status].map { acceptance in
                switch acceptance {
                case .always: status.rawValue
                case .until(let end): "\(status.rawValue) until \(ISO8601.text(end))"
                }
            }
        }
        var parts = [
            ("TCB status", statuses.isEmpty ? "none, so no TD boots" : Self.list(statuses))
        ]
        let bits = TDAttributeBit.allCases.compactMap { bit in
            rules.attributes[bit].map { "\(bit.rawValue) \($0 ? "on" : "off")" }
        }
        if !bits.isEmpty { parts.append(("TD attributes", Self.list(bits))) }
        if let xfam = rules.xfam { parts.append(("XFAM", "0x" + String(xfam, radix: 16))) }
        for (name, values) in [
            ("TDX modules", rules.modules), ("MROWNER", rules.owners),
            ("MROWNERCONFIG", rules.ownerConfigs),
        ] where !values.isEmpty {
            parts.append((name, "one of \(values.count)"))
        }
        return parts
    }

    private var tpm: [(String, String)] {
        let rules = rules.tpm
        guard rules.isRequired || !rules.references.isEmpty else { return [] }
        let trusts = AttestationKeyTrust.allCases.filter(rules.keyTrusts.contains)
        let registers = rules.references.map { reference in
            let numbers = reference.values.keys.sorted().map { "\($0)" }
            return "\"\(reference.label.shown)\" (\(reference.bank.rawValue) \(Self.list(numbers)))"
        }
        return [
            ("TPM", "a quote, its key trusted by \(Self.list(trusts.map(\.rawValue), " or "))"),
            ("PCRs", registers.isEmpty ? "any" : Self.list(registers, " or ")),
        ]
    }

    private var boot: [(String, String)] {
        let rules = rules.boot
        var parts: [(String, String)] = []
        if let secureBoot = rules.secureBoot {
            parts.append(("Secure Boot", secureBoot ? "on" : "off"))
        }
        if !rules.authorities.isEmpty {
            parts.append(("authorities", "\(rules.authorities.count) known"))
        }
        if !rules.images.isEmpty { parts.append(("boot images", "\(rules.images.count) known")) }
        if let drivers = rules.drivers {
            parts.append(("drivers", drivers.isEmpty ? "none" : "\(drivers.count) known"))
        }
        if let lines = rules.commandLines {
            let texts = lines.sorted().map { "\"\($0.shown)\"" }
            parts.append(
                ("command line", texts.isEmpty ? "the image's own" : Self.list(texts, " or ")))
        }
        guard rules.isRequired || !parts.isEmpty else { return [] }
        let rest = rules.allowsUnexplained ? "events that explain nothing are allowed" : "in full"
        return [("event log", "has to lead to the quoted registers, \(rest)")] + parts
    }

    private var runtime: [(String, String)] {
        guard let rules = rules.runtime else { return [] }
        var parts = [
            (
                "runtime",
                "stale after \(rules.staleAfter) s; violations \(rules.violations.rawValue)"
            ),
            (
                "after failure",
                rules.refusesLaunchAfterFailure
                    ? "no key until `bootgate vm resume`" : "the next launch is judged as any"
            ),
        ]
        for allowance in rules.allowances {
            parts.append(("allowed", allowance.description.shown))
        }
        return parts
    }

    private static func list(_ words: [String], _ separator: String = ", ") -> String {
        words.joined(separator: separator)
    }
}

extension ReferenceMeasurement {
    fileprivate var isTD: Bool {
        switch registers {
        case .td: true
        case .launchDigest: false
        }
    }
}
