internal import Bytes
internal import Evidence
internal import Policy

/// Joins what is known of a running VM: evidence that was authenticated, its statement, the IMA log, and what
/// all of that is held against.
///
/// The owner's program and the broker both use it, so that one answer is the other's. It does no I/O and reads no
/// clock; dates of certificates and of vendors' lists were judged with the evidence.
public struct RuntimeVerifier: Sendable {
    /// What the VM is held against.
    public let reference: RuntimeReference
    /// The boot that is the expected one, if it is another than the snapshot's.
    public var expectedBoot: RuntimeBoot?
    /// Whether a maintenance window is open: files that the snapshot lacks are then told, and do not refuse.
    public var isUnderMaintenance = false

    /// Holds VMs against `reference`.
    public init(_ reference: RuntimeReference) {
        self.reference = reference
    }

    /// Makes every check that can be made.
    ///
    /// - Parameter log: the log so far, started with this report or brought to it
    ///   (``RuntimeLog/proceed(to:)``); nil where none came, or nothing vouches for one.
    public func verify(_ report: RuntimeReport, log: inout RuntimeLog?) -> RuntimeResult {
        // A log that was held against something else says nothing of this reference.
        let isOfReference = log.map { $0.reference === reference } ?? false
        let logged = isOfReference ? log?.finish() : nil
        let own = [
            certificate(report), teePolicy(report), key(report), reboot(report),
        ]
        let ima =
            logged.map { files($0.result, $0.allowed) }
            ?? Self.withoutLog(report, hasLog: log != nil)
        let findings = report.findings + own + ima
        let isReplayed = ima.contains {
            $0.check == IMACheck.replay.rawValue && $0.outcome == .ok
        }
        return RuntimeResult(
            findings: findings,
            problems: logged?.result.problems.map(RuntimeProblem.init) ?? [],
            entryCount: logged?.result.entryCount, quotedCount: logged?.result.quotedCount,
            allowed: logged.map { allowed($0.allowed) } ?? [],
            furtherCount: logged?.further ?? 0, isKeySelfMade: isKeySelfMade(report),
            isTrusted: report.claims != nil && isReplayed
                && !findings.contains { $0.outcome == .refused })
    }

    private func certificate(_ report: RuntimeReport) -> Finding {
        let named = report.statement.certificate.hex
        guard let served = report.servedCertificate else {
            return RuntimeCheck.certificate.notChecked(
                expected: named, because: "the VM did not serve this connection")
        }
        return RuntimeCheck.certificate.finding(
            served == report.statement.certificate, expected: named, actual: served.hex)
    }

    private func teePolicy(_ report: RuntimeReport) -> Finding {
        let check = RuntimeCheck.teePolicy
        let expected = "the values of the snapshot, debug off"
        guard let hardware = report.claims?.hardware else {
            return check.notChecked(
                expected: expected, because: "no evidence of a processor is authentic")
        }
        let comparison = TEEPolicyComparison(reference.snapshot?.header.teePolicy, hardware)
        let faults = comparison.faults + (Self.allowsDebug(hardware) ? ["debug is on"] : [])
        guard !faults.isEmpty || comparison.count > 0 else {
            return check.notChecked(
                expected: expected, actual: "debug is off",
                because: reference.snapshot == nil
                    ? "no snapshot was given" : "the snapshot has no values of a processor")
        }
        return check.finding(
            faults: faults, expected: expected, actual: "all \(comparison.count) values")
    }

    private static func allowsDebug(_ hardware: Claims.Hardware) -> Bool {
        switch hardware {
        case .snp(let claims): claims.guestPolicy.allowsDebug
        case .tdx(let claims): claims.body.tdAttributes.isUntrusted
        }
    }

    private func isKeySelfMade(_ report: RuntimeReport) -> Bool {
        guard reference.snapshot?.details?.attestationKeyName.isEmpty ?? true else { return false }
        return switch report.claims?.tpm?.keyTrust {
        case .teeReport, .nothing: true
        case .svsmManifest, .paravisor, .ekCertificate, .vendorCertificate, nil: false
        }
    }

    /// The statement is covered by the processor's report and the name by the quote's own key: all three agree.
    private func key(_ report: RuntimeReport) -> Finding {
        let check = RuntimeCheck.key
        let actual = Hex.encode(report.attestationKeyName)
        let stated = report.statement.attestationKeyName
        let wanted = reference.snapshot?.details?.attestationKeyName ?? []
        guard stated == report.attestationKeyName else {
            return check.finding(
                false, expected: "the statement's \(stated.isEmpty ? "none" : Hex.encode(stated))",
                actual: actual.isEmpty ? "no quote" : actual)
        }
        guard !wanted.isEmpty else {
            return check.notChecked(
                expected: "the snapshot's key", actual: actual.isEmpty ? "no quote" : actual,
                because: (reference.snapshot == nil
                    ? "no snapshot was given" : "the snapshot names no key")
                    + (isKeySelfMade(report)
                        ? "; the VM vouches for it by itself, so its root can have made it" : ""))
        }
        return check.finding(
            wanted == report.attestationKeyName && report.claims?.tpm != nil,
            expected: Hex.encode(wanted),
            actual: report.claims?.tpm == nil ? "no genuine quote" : actual)
    }

    private func reboot(_ report: RuntimeReport) -> Finding {
        let check = RuntimeCheck.reboot
        let ofSnapshot = reference.snapshot.map { RuntimeBoot(of: $0.header) }
        let expected = expectedBoot ?? ofSnapshot
        let actual = report.boot.text ?? "-"
        guard let expected, let text = expected.text else {
            return check.notChecked(
                expected: "the same boot", actual: actual,
                because: reference.snapshot == nil
                    ? "no snapshot was given" : "the snapshot says nothing of its boot")
        }
        guard report.claims != nil else {
            return check.notChecked(expected: text, because: "no evidence is authentic")
        }
        return check.finding(
            report.boot.matches(expected), expected: text, actual: actual,
            note: expectedBoot == nil || expectedBoot == ofSnapshot
                ? nil : "another boot than the snapshot's was expected")
    }

    /// The log's findings, that on its files under the name that it has here.
    private func files(_ result: IMAResult, _ counts: [Int]) -> [Finding] {
        result.findings.map { finding in
            guard finding.check == IMACheck.policy.rawValue else { return finding }
            let byRule = allowed(counts).map { "\($0.count) by \($0.rule)" }
            var notes = byRule.isEmpty ? [] : ["let in: " + byRule.joined(separator: ", ")]
            var outcome = finding.outcome
            // What a log without a quote that fits shows is worth nothing, so it is not shown as passed.
            if outcome == .ok, result.quotedCount == nil {
                outcome = .notChecked
                notes.append("the log does not lead to the quote")
            }
            if outcome == .refused, isUnderMaintenance {
                outcome = .notChecked
                notes.append("a maintenance window is open")
            }
            if outcome == .notChecked, let note = finding.note { notes.insert(note, at: 0) }
            return Finding(
                check: RuntimeCheck.snapshot.rawValue, outcome: outcome,
                expected: finding.expected, actual: finding.actual,
                note: notes.isEmpty ? nil : notes.joined(separator: "; "))
        }
    }

    private func allowed(_ counts: [Int]) -> [RuntimeAllowed] {
        zip(reference.allowances, counts).filter { $0.1 > 0 }.map {
            RuntimeAllowed(rule: $0.0, count: $0.1)
        }
    }

    private static func withoutLog(_ report: RuntimeReport, hasLog: Bool) -> [Finding] {
        let reason =
            if report.claims?.tpm == nil {
                "there is no genuine quote of a TPM"
            } else if report.measurements.isEmpty {
                "PCR 10 was not quoted in a bank other than SHA-1's"
            } else if hasLog {
                "the log was held against another snapshot or other rules"
            } else {
                "no log was given"
            }
        return IMACheck.allCases.map { check in
            Finding(
                check: check == .policy ? RuntimeCheck.snapshot.rawValue : check.rawValue,
                outcome: .notChecked, expected: "a log that leads to the quoted PCR 10",
                actual: "none", note: reason)
        }
    }
}

extension RuntimeProblem {
    fileprivate init(_ problem: IMAProblem) {
        self.init(
            check: problem.check == .policy
                ? RuntimeCheck.snapshot.rawValue : problem.check.rawValue,
            index: problem.index, path: problem.path, digest: problem.digest,
            detail: problem.detail)
    }
}
