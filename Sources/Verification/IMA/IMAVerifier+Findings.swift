internal import Bytes
internal import Evidence
internal import Policy

extension IMAVerifier {
    /// The findings in the order of ``IMACheck``.
    func result() -> IMAResult {
        let quotedCount = quotedCount
        // Without a quote all entries are judged, since none is better than another.
        let judged = quotedCount ?? count
        return IMAResult(
            findings: [
                formatFinding, templateFinding(judged), replayFinding(quotedCount),
                bootAggregateFinding(quotedCount), violationFinding(judged),
                signatureFinding(judged),
                policyFinding(judged),
            ], problems: problems, entryCount: count, quotedCount: quotedCount)
    }

    /// After how many entries every quoted bank held what was quoted.
    private var quotedCount: Int? {
        guard fault == nil, let first = replays.first?.match,
            replays.allSatisfy({ $0.match == first })
        else { return nil }
        return first
    }

    private var formatFinding: Finding {
        IMACheck.format.finding(
            fault == nil, expected: "a log of measurements, whole entries only",
            actual: fault.map { "\($0)" } ?? "\(count) entries")
    }

    /// Whether a check failed within the first `judged` entries.
    private func failed(_ check: IMACheck, _ judged: Int) -> Bool {
        failures[check].map { $0.first < judged } ?? false
    }

    /// The first failure of a check, in words.
    private func failure(_ check: IMACheck) -> String {
        guard let failure = failures[check],
            let problem = problems.first(where: { $0.check == check })
        else { return "-" }
        let more = failure.count > 1 ? ", and \(failure.count - 1) more" : ""
        return "entry \(problem.index), \(Self.printable(problem.path)): \(problem.detail)\(more)"
    }

    /// A name from a stranger, as an owner may see it.
    private static func printable(_ path: String) -> String {
        String(
            String.UnicodeScalarView(
                path.unicodeScalars.prefix(256).map {
                    $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? "?" : $0
                }))
    }

    private func templateFinding(_ judged: Int) -> Finding {
        let isRefused = failed(.templateHashes, judged)
        return IMACheck.templateHashes.finding(
            !isRefused, expected: "every entry hashes to its template hash",
            actual: isRefused ? failure(.templateHashes) : "\(judged) entries do")
    }

    private func replayFinding(_ quotedCount: Int?) -> Finding {
        let name = "PCR \(expectations.register)"
        let expected = "the entries lead to the quoted \(name)"
        guard !expectations.quoted.isEmpty else {
            return IMACheck.replay.notChecked(
                expected: expected, because: "no quote of \(name) was given")
        }
        guard fault == nil else {
            return IMACheck.replay.notChecked(expected: expected, because: "the log is unreadable")
        }
        let foreign = foreignCount > 0 ? ["\(foreignCount) are of other registers"] : []
        guard let quotedCount else {
            let values = replays.filter { $0.match == nil }
                .map { "\($0.bank.rawValue) \(Hex.encode($0.value))" }
            let actual =
                values.isEmpty
                ? "the banks fit after different entries"
                : "none does; all of them lead to \(values.joined(separator: ", "))"
            return IMACheck.replay.finding(false, expected: expected, actual: actual)
        }
        let behind = count - quotedCount
        let rest = behind > 0 ? ["\(behind) entries are behind the quote and not judged"] : []
        let notes = rest + foreign
        return IMACheck.replay.finding(
            true, expected: expected, actual: "\(quotedCount) of \(count) entries do",
            note: notes.isEmpty ? nil : notes.joined(separator: "; "))
    }

    private func bootAggregateFinding(_ quotedCount: Int?) -> Finding {
        let expected = "the first entry stands for PCR 0 to 9"
        guard expectations.quoted.isEmpty || quotedCount != nil else {
            return IMACheck.bootAggregate.notChecked(
                expected: expected, because: "the entries do not lead to the quote")
        }
        guard let aggregate = bootAggregate else {
            return expectations.bootRegisters == nil || count == 0
                ? IMACheck.bootAggregate.notChecked(
                    expected: expected, because: "no values of PCR 0 to 9 were given")
                : IMACheck.bootAggregate.finding(
                    false, expected: expected, actual: "the first entry is no boot_aggregate")
        }
        guard let isProven = aggregate.isProven else {
            return IMACheck.bootAggregate.notChecked(
                expected: expected, actual: aggregate.digest,
                because: "PCR 0 to 9 of the digest's bank were not given")
        }
        return IMACheck.bootAggregate.finding(
            isProven, expected: expected, actual: aggregate.digest)
    }

    private func violationFinding(_ judged: Int) -> Finding {
        let expected = "no file was written to while it was measured"
        guard failed(.violations, judged) else {
            return IMACheck.violations.finding(true, expected: expected, actual: "none was")
        }
        return expectations.forbidsViolations
            ? IMACheck.violations.finding(
                false, expected: expected, actual: failure(.violations))
            : IMACheck.violations.notChecked(
                expected: expected, actual: failure(.violations),
                because: "violations are allowed")
    }

    private func signatureFinding(_ judged: Int) -> Finding {
        let expected: String
        switch expectations.signatures {
        case .ignored:
            return IMACheck.signatures.notChecked(
                expected: "signatures by known keys", because: "no keys were given")
        case .whenPresent: expected = "every signature is by a known key"
        case .required: expected = "every file is signed by a known key, or in the policy"
        }
        let isRefused = failed(.signatures, judged)
        return IMACheck.signatures.finding(
            !isRefused, expected: expected,
            actual: isRefused
                ? failure(.signatures)
                : "\(signatureCounts.valid) are, \(signatureCounts.absent) files have none")
    }

    private func policyFinding(_ judged: Int) -> Finding {
        if let reference = expectations.reference { return referenceFinding(reference, judged) }
        let expected = "every file is in the policy"
        guard expectations.policy != nil else {
            return IMACheck.policy.notChecked(
                expected: expected, because: "no runtime policy was given")
        }
        let isRefused = failed(.policy, judged)
        return IMACheck.policy.finding(
            !isRefused, expected: expected,
            actual: isRefused ? failure(.policy) : "\(judged) entries are")
    }

    private func referenceFinding(_ reference: RuntimeReference, _ judged: Int) -> Finding {
        let expected = "every entry is in the snapshot, or let in by a rule"
        guard reference.hasFiles else {
            return IMACheck.policy.notChecked(
                expected: expected,
                because: reference.snapshot == nil
                    ? "no snapshot was given" : "the snapshot has no files")
        }
        let isRefused = failed(.policy, judged)
        return IMACheck.policy.finding(
            !isRefused, expected: expected,
            actual: isRefused ? failure(.policy) : "\(judged) entries are")
    }
}
