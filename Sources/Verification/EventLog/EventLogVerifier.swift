internal import Bytes
public import Evidence
internal import OpenSSL
public import Policy

/// What an ``EventLogVerifier`` found.
public struct EventLogResult: Sendable {
    /// One finding for each check, but for a replay that fails in several registers.
    public let findings: [Finding]
    /// What the log proves; nil unless nothing was refused.
    public let facts: BootFacts?
    /// What the log leads to, for those who want to see it; nil for an unreadable one.
    public let replayed: RegisterValues?
}

/// Holds event logs against registers that a quote vouches for.
public struct EventLogVerifier: Sendable {
    /// Whether surplus separators and events outside of the given registers refuse the log; otherwise
    /// they are told. Launches are strict.
    public let isStrict: Bool

    /// Strict unless told otherwise.
    public init(isStrict: Bool = true) {
        self.isStrict = isStrict
    }

    /// Reads a log as it came and checks it.
    ///
    /// - Parameters:
    ///   - bytes: the log, in the form of `source`.
    ///   - registers: what a verified quote says the registers hold; a log is never compared with what
    ///     its own sender claims.
    public func verify(
        bytes: [UInt8], from source: EventLog.Source, registers: RegisterValues
    ) -> EventLogResult {
        let log: EventLog
        do throws(ParseError) {
            log = try EventLog(parsing: bytes, from: source)
        } catch {
            return EventLogResult(
                findings: [
                    EventLogCheck.format.finding(
                        false, expected: "a TCG event log", actual: "\(error)"),
                    EventLogCheck.replay.notChecked(
                        expected: "events that lead to the registers", because: Self.unreadable),
                    EventLogCheck.separators.notChecked(
                        expected: "no surplus separator", because: Self.unreadable),
                    EventLogCheck.coverage.notChecked(
                        expected: "every event in a quoted register", because: Self.unreadable),
                ], facts: nil, replayed: nil)
        }
        return verify(log: log, registers: registers)
    }

    /// Checks a log that was read already.
    public func verify(log: EventLog, registers: RegisterValues) -> EventLogResult {
        let hashing = OpenSSLHashing()
        let replayed = log.replay(hashing)
        let (replay, proven, phases) = replayFindings(log, replayed, registers)
        let findings =
            [
                EventLogCheck.format.finding(
                    true, expected: "a TCG event log", actual: "\(log.events.count) events")
            ] + replay + [separators(log), coverage(log, registers)]
        let isRefused = findings.contains { $0.outcome == .refused }
        return EventLogResult(
            findings: findings,
            facts: isRefused
                ? nil
                : BootFacts(
                    log, proven: proven, untouched: untouched(log, registers), phases: phases,
                    hashing: hashing),
            replayed: replayed)
    }

    /// Registers that are vouched for, hold nothing in any bank, and that no event extends.
    private func untouched(_ log: EventLog, _ registers: RegisterValues) -> Set<Int> {
        let logged = Set(log.events.filter(\.extends).map(\.register))
        return Set(
            registers.registers.filter { register in
                !logged.contains(register)
                    && registers.banks.values.allSatisfy { bank in
                        bank[register]?.allSatisfy { $0 == 0 } ?? true
                    }
            })
    }

    private static let unreadable = "the log is unreadable"

    /// Compares every register of `registers`, and gives the banks of each that fit.
    ///
    /// A register that the log does not mention has to be as it was at the start: whatever is in it
    /// would have been measured without a record.
    private func replayFindings(
        _ log: EventLog, _ replayed: RegisterValues, _ registers: RegisterValues
    ) -> (findings: [Finding], proven: [Int: Set<HashAlgorithm>], phases: [String]) {
        var mismatches: [Finding] = []
        var proven: [Int: Set<HashAlgorithm>] = [:]
        var phases: [String]?
        var count = 0
        let logged = Set(log.events.filter(\.extends).map(\.register))
        for (bank, values) in registers.banks.sorted(by: { $0.key.size < $1.key.size }) {
            for (register, value) in values.sorted(by: { $0.key < $1.key }) {
                // Registers that others than firmware and loader extend: IMA's, and the owner's.
                guard logged.contains(register) || isFirmwares(log.source, register) else {
                    continue
                }
                count += 1
                let name = "\(bank.rawValue) \(log.source.name(of: register))"
                let wanted =
                    replayed[bank, register] ?? [UInt8](repeating: 0, count: bank.size)
                if value == wanted {
                    proven[register, default: []].insert(bank)
                } else if log.source == .tpm, register == 11,
                    let passed = BootPhase.passed(from: wanted, to: value, bank),
                    phases == nil || phases == passed
                {
                    phases = passed
                    proven[register, default: []].insert(bank)
                } else {
                    mismatches.append(
                        EventLogCheck.replay.finding(
                            false, expected: "\(name) is \(Hex.encode(value)), as quoted",
                            actual: "the log leads to \(Hex.encode(wanted))"))
                }
            }
        }
        guard mismatches.isEmpty else { return (mismatches, proven, []) }
        return ([replayFinding(count, phases)], proven, phases ?? [])
    }

    /// The one finding where no register disagrees.
    private func replayFinding(_ count: Int, _ phases: [String]?) -> Finding {
        let expected = "every quoted register is what the log leads to"
        guard count > 0 else {
            return EventLogCheck.replay.notChecked(
                expected: expected, because: "no register is vouched for that a log speaks of")
        }
        return EventLogCheck.replay.finding(
            true, expected: expected, actual: "\(count) registers are",
            note: phases.map { "PCR 11 also holds the phases \($0.joined(separator: ", "))" })
    }

    /// Whether only firmware and boot loader extend a register, so that an empty log means an untouched one.
    private func isFirmwares(_ source: EventLog.Source, _ register: Int) -> Bool {
        switch source {
        case .tpm: register <= 7
        case .confidentialComputing: (1...2).contains(register)
        }
    }

    private func separators(_ log: EventLog) -> Finding {
        let expected = "no register has more separators than the firmware makes"
        let surplus = log.surplusSeparators.sorted { $0.key < $1.key }
        guard !surplus.isEmpty else {
            return EventLogCheck.separators.finding(true, expected: expected, actual: "none has")
        }
        let actual = surplus.map { "\(log.source.name(of: $0.key)) has \($0.value)" }
            .joined(separator: ", ")
        return isStrict
            ? EventLogCheck.separators.finding(false, expected: expected, actual: actual)
            : EventLogCheck.separators.notChecked(
                expected: expected, actual: actual, because: "not asked for")
    }

    /// Nothing may be left over on either side: events outside of the given registers prove nothing and
    /// are left out of the facts, and a register that holds something without an event hides something.
    private func coverage(_ log: EventLog, _ registers: RegisterValues) -> Finding {
        let expected = "every event is in a quoted register, and every quoted register in the log"
        var uncovered: [Int: Int] = [:]
        var logged: Set<Int> = []
        for event in log.events where event.extends {
            logged.insert(event.register)
            if !event.digests.contains(where: { registers[$0.algorithm, event.register] != nil }) {
                uncovered[event.register, default: 0] += 1
            }
        }
        let silent = registers.registers.filter { register in
            !logged.contains(register) && !isFirmwares(log.source, register)
                && !isOthers(log.source, register)
                && registers.banks.values.contains { $0[register]?.contains { $0 != 0 } ?? false }
        }
        let rest =
            uncovered.sorted { $0.key < $1.key }
            .map { "\($0.value) of \(log.source.name(of: $0.key)) not quoted" }
            + silent.map { "\(log.source.name(of: $0)) extended without an event" }
        guard !rest.isEmpty else {
            return EventLogCheck.coverage.finding(true, expected: expected, actual: "so it is")
        }
        let actual = rest.joined(separator: ", ")
        return isStrict
            ? EventLogCheck.coverage.finding(false, expected: expected, actual: actual)
            : EventLogCheck.coverage.notChecked(
                expected: expected, actual: actual, because: "the facts leave it out")
    }

    /// Registers that others than firmware, boot loader and stub extend, and that have logs of their own
    /// or none: IMA's, systemd's and the owner's, the debug register, those of a late launch.
    private func isOthers(_ source: EventLog.Source, _ register: Int) -> Bool {
        switch source {
        case .tpm: register == 10 || register >= 15
        case .confidentialComputing: register == 0 || register == 4
        }
    }
}
