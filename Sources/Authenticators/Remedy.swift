import Policy
import Verification

/// Tells evidence that a vendor's word could make good from evidence that nothing can.
///
/// Strangers may send anything: only what is whole but for an endorsement is worth a request.
enum Remedy {
    /// Whether no certificate, list or document could make these findings good.
    static func isHopeless(_ findings: [Finding]) -> Bool {
        findings.contains { $0.outcome == .refused && final.contains($0.check) }
    }

    /// The checks that rest on the evidence alone.
    private static let final: Set<String> = {
        let snp: Set<SNPCheck> = [.report, .binding, .tcbOrder]
        // Dates are those of Intel's documents as well.
        let tdx = Set(TDXCheck.allCases).subtracting(TDXCheck.ofCollateral)
            .subtracting([.certificateDates])
        let tpm: Set<TPMCheck> = [.quote, .signature, .key, .nonce, .digest, .algorithms]
        return Set(
            snp.map(\.rawValue) + tdx.map(\.rawValue) + tpm.map(\.rawValue)
                + AzureCheck.allCases.map(\.rawValue) + EventLogCheck.allCases.map(\.rawValue)
                + [TPMParts.nameCheck, AzureAuthenticator.reportCheck])
    }()
}
