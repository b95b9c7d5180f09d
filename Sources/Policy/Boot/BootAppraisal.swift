import Bytes
import Evidence

/// The rules that the log of a boot is held to.
struct BootAppraisal {
    let rules: BootRules
    /// Nil where no log came that replays to what was quoted.
    let facts: BootFacts?

    /// The finding of a check that concerns logs.
    func finding(_ check: Check) -> Finding {
        guard let facts else {
            return rules.needsLog
                ? Finding(
                    check, holds: false, expected: "a log that replays to the quoted registers",
                    actual: "none")
                : Finding(unset: check, actual: "no log")
        }
        return switch check {
        case .bootEvents: events(facts)
        case .secureBoot: secureBoot(facts)
        case .bootAuthorities: authorities(facts)
        case .bootImages:
            images(check, rules.images.isEmpty ? nil : rules.images, facts.bootApplications, facts)
        case .bootDrivers: images(check, rules.drivers, facts.drivers, facts)
        case .commandLine: commandLines(facts)
        default: Finding(check, holds: false, expected: "a rule of logs", actual: "none")
        }
    }

    /// An event that explains nothing may stand for anything, such as another loader.
    private func events(_ facts: BootFacts) -> Finding {
        let actual =
            facts.unexplained.isEmpty
            ? "every event is explained"
            : Self.list(facts.unexplained, separator: "; ") { event in
                "event \(event.index) in register \(event.register): \(event.reason.rawValue)"
            }
        guard rules.needsLog, !rules.allowsUnexplained else {
            return Finding(unset: .bootEvents, actual: actual)
        }
        let missing = facts.missing(Array(0...7))
        return Finding(
            .bootEvents,
            holds: facts.unexplained.isEmpty && facts.failedRegisters.isEmpty && missing == nil,
            expected: "every event is explained", actual: missing ?? actual)
    }

    /// The first few, and how many more: a log may have tens of thousands, and every row of the ledger
    /// keeps its findings.
    private static func list<T>(
        _ items: [T], separator: String = ", ", _ text: (T) -> String
    ) -> String {
        let shown = items.prefix(8).map { item in
            let text = text(item)
            return text.utf8.count <= 512 ? text : "\(text.prefix(512))..."
        }
        let rest = items.count - shown.count
        return shown.joined(separator: separator) + (rest > 0 ? "\(separator)\(rest) more" : "")
    }

    private func secureBoot(_ facts: BootFacts) -> Finding {
        let actual = facts.secureBoot.map { $0 ? "on" : "off" } ?? "not in the log"
        guard let wanted = rules.secureBoot else {
            return Finding(unset: .secureBoot, actual: actual)
        }
        return Finding(
            .secureBoot, holds: facts.secureBoot == wanted, expected: wanted ? "on" : "off",
            actual: actual)
    }

    private func authorities(_ facts: BootFacts) -> Finding {
        let actual = Self.list(facts.authorities) { "\($0.variable) \($0.sha256.hex)" }
        guard !rules.authorities.isEmpty else {
            return Finding(unset: .bootAuthorities, actual: actual.isEmpty ? "none" : actual)
        }
        // A TD's RTMR0 is PCR 1 too, whose events could be authorities under another name.
        let isOpaque =
            facts.source == .confidentialComputing && facts.opaqueRegisters.contains(1)
        let holds =
            facts.secureBoot == true && !facts.authorities.isEmpty && !isOpaque
            && facts.authorities.allSatisfy { rules.authorities.contains($0.sha256) }
        return Finding(
            .bootAuthorities, holds: holds,
            expected: "Secure Boot, and only "
                + rules.authorities.map { $0.hex }.sorted().joined(separator: ", "),
            actual: actual.isEmpty ? "none" : actual,
            note: isOpaque ? "RTMR0 also holds events that could be authorities" : nil)
    }

    private func images(
        _ check: Check, _ listed: Set<[UInt8]>?, _ logged: [BootFacts.Image], _ facts: BootFacts
    ) -> Finding {
        var (images, known) = (logged, listed)
        if facts.source == .confidentialComputing, listed != nil {
            // RTMR1 holds both, and which is which is not hashed.
            images = facts.bootApplications + facts.drivers
            known = rules.images.union(rules.drivers ?? [])
        }
        let actual = Self.list(images) { image in
            image.digests.sorted { $0.key.size < $1.key.size }.last.map { Hex.encode($0.value) }
                ?? "without a digest"
        }
        let text = actual.isEmpty ? "none" : actual
        guard let known else { return Finding(unset: check, actual: text) }
        let holds = images.allSatisfy { image in
            // SHA-1 alone says nothing.
            image.digests.contains { $0.key != .sha1 && known.contains($0.value) }
        }
        let missing = facts.missing(check == .bootImages ? [4] : [2, 4])
        return Finding(
            check, holds: holds && missing == nil && (check != .bootImages || !images.isEmpty),
            expected: known.isEmpty
                ? "none" : known.map(Hex.encode).sorted().joined(separator: " or "),
            actual: missing ?? text)
    }

    /// `sha256:` and hexadecimal digits, of the strongest bank; SHA-1 says nothing.
    private static func digest(_ digests: [HashAlgorithm: [UInt8]]) -> String {
        let best = digests.filter { $0.key != .sha1 }.max { $0.key.size < $1.key.size }
        return best.map { "\($0.key.rawValue):\(Hex.encode($0.value))" } ?? "without a digest"
    }

    private func commandLines(_ facts: BootFacts) -> Finding {
        let lines = Self.list(facts.commandLines) {
            $0.text?.debugDescription ?? Self.digest($0.digests)
        }
        let actual = lines.isEmpty ? "none" : lines
        guard let known = rules.commandLines else {
            return Finding(unset: .commandLine, actual: actual)
        }
        // Where a command line would be, nothing may be that could be one under another name.
        let places: Set = facts.source == .tpm ? [8, 12] : [3]
        let isOpaque = !places.isDisjoint(with: facts.opaqueRegisters)
        let missing = facts.missing([8, 9, 12])
        // Byte by byte: texts that Unicode calls equal are not so to a kernel.
        let bytes = Set(known.map { Array($0.utf8) })
        let holds = facts.commandLines.allSatisfy { line in
            // The kernel's own stub logs a digest of its load options and nothing else.
            line.text.map { bytes.contains(Array($0.utf8)) }
                ?? known.contains(Self.digest(line.digests))
        }
        return Finding(
            .commandLine, holds: holds && !isOpaque && missing == nil,
            expected: known.isEmpty
                ? "none" : known.map(\.debugDescription).sorted().joined(separator: " or "),
            actual: missing ?? actual,
            note: isOpaque ? "there also are events that could be command lines" : nil)
    }
}

extension BootFacts {
    /// Which of these registers of a TPM nothing vouches for, in words; nil where all are. A TD's quote
    /// has all of a TD's.
    fileprivate func missing(_ wanted: [Int]) -> String? {
        guard source == .tpm else { return nil }
        let missing = wanted.filter { !registers.contains($0) }
        return missing.isEmpty
            ? nil : "PCR \(missing.map(String.init).joined(separator: ", ")) not quoted"
    }
}
