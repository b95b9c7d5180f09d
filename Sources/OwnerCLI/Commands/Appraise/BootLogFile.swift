import Bytes
import Evidence
import Policy
import Verification

/// A log of the boot, held against registers that were found authentic before.
struct BootLogFile {
    let findings: [Finding]
    /// Nil where no log was given, or nothing vouches for its registers.
    let result: EventLogResult?
    /// Whether a log that was given replays.
    let holds: Bool

    /// A TPM's log; nothing is replayed where the quote is not authentic.
    init(_ path: String?, against claims: TPMClaims?) throws(Failure) {
        try self.init(path, .tpm, claims.map { RegisterValues($0.pcrs) })
    }

    /// A TD's log.
    init(_ path: String?, against claims: TDXClaims?) throws(Failure) {
        try self.init(
            path, .confidentialComputing, claims.map { RegisterValues(rtmr: $0.body.rtmr) })
    }

    private init(
        _ path: String?, _ source: EventLog.Source, _ registers: RegisterValues?
    ) throws(Failure) {
        guard let path else {
            findings = []
            result = nil
            holds = true
            return
        }
        let bytes = try Self.read(path, "--event-log")
        guard let registers else {
            findings = [
                Finding(
                    check: EventLogCheck.replay.rawValue, outcome: .notChecked,
                    expected: "registers of an authentic quote", actual: "-",
                    note: "nothing vouches for the registers")
            ]
            result = nil
            holds = false
            return
        }
        let result = EventLogVerifier().verify(bytes: bytes, from: source, registers: registers)
        self.result = result
        findings = result.findings
        holds = Self.replays(result)
    }

    /// Whether the log was held against at least one register, and nothing was refused.
    static func replays(_ result: EventLogResult) -> Bool {
        result.facts != nil
            && result.findings.contains {
                $0.check == EventLogCheck.replay.rawValue && $0.outcome == .ok
            }
    }

    /// The first event is of a register below 256, little-endian, and has the size of a SHA-1 event.
    static func read(_ path: String, _ option: String) throws(Failure) -> [UInt8] {
        try EvidenceFile.evidence(
            path, option, atMost: EventLog.maximumByteCount, "a TCG event log"
        ) { $0.count >= 32 && $0[1...3].allSatisfy { $0 == 0 } }
    }
}
