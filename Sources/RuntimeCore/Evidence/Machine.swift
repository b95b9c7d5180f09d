import Attester
import Linux
import OpenSSL
import Synchronization
import TPM

/// Processor and TPM of this machine, asked by one request at a time.
///
/// Both are looked for at each request, so that one that was away works again when it is back.
final class Machine: Sendable {
    private let tpm: TPM.Device?
    private let discovery: RuntimeEvidence.Discovery
    /// Held while the hardware is asked; whether a TPM was ever there, or has to be.
    private let hasSeenTPM: Mutex<Bool>

    init(
        tpm: TPM.Device?, expectsTPM: Bool, discovery: @escaping RuntimeEvidence.Discovery
    ) {
        self.tpm = tpm
        hasSeenTPM = Mutex(expectsTPM)
        self.discovery = discovery
    }

    /// The platform, with the TPM's quote by `plan` where this machine has a TPM.
    func asking<Result: Sendable>(
        _ plan: TPMQuotePlan?, _ body: (any EvidenceProvider) throws(AttesterError) -> Result
    ) throws(RuntimeEvidenceError) -> Result {
        try hasSeenTPM.withLock { seen throws(RuntimeEvidenceError) in
            do throws(AttesterError) {
                let platform = try discovery()
                guard let plan, let tpm = Self.present(tpm, &seen) else {
                    return try body(platform)
                }
                return try body(try platform.quoting(tpm, plan))
            } catch {
                throw RuntimeEvidenceError(error)
            }
        }
    }

    /// The TPM without any platform; nil where this machine has none.
    func askingTPM<Result: Sendable>(
        _ body: (TPM.Device) throws(AttesterError) -> Result
    ) throws(RuntimeEvidenceError) -> Result? {
        try hasSeenTPM.withLock { seen throws(RuntimeEvidenceError) in
            guard let tpm = Self.present(tpm, &seen) else { return nil }
            do throws(AttesterError) {
                return try body(tpm)
            } catch {
                throw RuntimeEvidenceError(error)
            }
        }
    }

    /// Nil where there is none, never was and need not be. Asking one that has gone is an error, never a report
    /// without its quote.
    private static func present(_ tpm: TPM.Device?, _ seen: inout Bool) -> TPM.Device? {
        guard let tpm else { return nil }
        if case .file(let path) = tpm, !File.exists(path) { return seen ? tpm : nil }
        seen = true
        return tpm
    }
}
