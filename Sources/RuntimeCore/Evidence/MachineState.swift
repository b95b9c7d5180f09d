import Attester
import Bytes
public import Evidence
import Linux
import Protocol

/// What a snapshot says about the machine that its files were found on.
public struct MachineState: Sendable {
    /// What the processor says, from evidence made just then for nobody.
    public enum Report: Sendable {
        /// SNP, also Azure's and an SVSM's.
        case snp(SNPReport)
        /// TDX, also Azure's.
        case tdx(TDXQuote)
    }

    /// What the TPM says, by one quote.
    public struct TPMState: Sendable {
        /// resetCount: another one after each boot.
        public let resetCount: UInt32
        /// restartCount.
        public let restartCount: UInt32
        /// PCR 0 to 10 of every bank that was quoted.
        public let registers: PCRValues
        /// TPM name of the key that quoted: the one of the statements.
        public let attestationKeyName: [UInt8]
    }

    /// The processor's report.
    public let report: Report
    /// The TPM; nil where there is none.
    public let tpm: TPMState?
    /// The VM's id, where it was booted by the gate.
    public let vm: String?
    /// Name and boot id.
    public let host: Host
}

extension RuntimeEvidence {
    /// The machine as it is now.
    public func machineState() throws(RuntimeEvidenceError) -> MachineState {
        let question = FixedBytes<64>(Random.bytes(64)) ?? FixedBytes()
        let message = try machine.asking(plan()) { platform throws(AttesterError) in
            try platform.evidence { _ in question }
        }
        do throws(ParseError) {
            return MachineState(
                report: try Self.report(in: message), tpm: try Self.tpmState(in: message),
                vm: subject.vm?.description, host: subject.host)
        } catch {
            throw .unavailable(.badReport(field: "evidence", problem: error.description))
        }
    }

    private static func report(
        in message: EvidenceMessage
    ) throws(ParseError) -> MachineState.Report {
        let bytes = message.data(.report) ?? []
        switch message.kind {
        case .snp, .svsm, .azureSNP: return .snp(try SNPReport(parsing: bytes))
        case .tdx, .azureTDX: return .tdx(try TDXQuote(parsing: bytes))
        }
    }

    private static func tpmState(
        in message: EvidenceMessage
    ) throws(ParseError) -> MachineState.TPMState? {
        guard let quote = message.data(.tpmQuote), let values = message.data(.pcrValues) else {
            return nil
        }
        let attestation = try TPMAttestation(parsing: quote)
        return MachineState.TPMState(
            resetCount: attestation.resetCount, restartCount: attestation.restartCount,
            registers: try PCRValues(parsing: values),
            attestationKeyName: message.attestationKeyName)
    }
}
