import Bytes
import Evidence
import Policy
import Protocol
import Verification

/// The event log of an EVIDENCE, held against registers that were found authentic before.
struct BootLog {
    /// One for each check; none where no log came.
    let findings: [Finding]
    /// Nil where there is no log, or nothing that vouches for its registers.
    let result: EventLogResult?

    /// A TD's log is about its own registers; everybody else's is about a TPM's.
    init(_ evidence: EvidenceMessage, tdx: TDXClaims? = nil, tpm: TPMClaims?) {
        guard let log = evidence.data(.eventLog), !log.isEmpty else {
            findings = []
            result = nil
            return
        }
        let registers: RegisterValues?
        let source: EventLog.Source = evidence.kind == .tdx ? .confidentialComputing : .tpm
        switch source {
        case .confidentialComputing: registers = tdx.map { RegisterValues(rtmr: $0.body.rtmr) }
        case .tpm: registers = tpm.map { RegisterValues($0.pcrs) }
        }
        guard let registers else {
            result = nil
            findings = [
                Finding(
                    check: EventLogCheck.replay.rawValue, outcome: .notChecked,
                    expected: "registers of an authentic quote", actual: "-",
                    note: "nothing vouches for the registers")
            ]
            return
        }
        let made = EventLogVerifier().verify(bytes: log, from: source, registers: registers)
        findings = made.findings
        result = made
    }
}
