import Policy

/// The checks that an ``AzureVerifier`` makes beside those of the processor's verifier and of
/// ``TPMCheck``; each leaves exactly one finding of this name.
///
/// `docs/evidence-azure.md` explains each and names the document that it comes from.
public enum AzureCheck: String, Sendable, Hashable, CaseIterable {
    /// The bytes are the paravisor's report with runtime data.
    case report = "HCL report"
    /// The processor's report is over the runtime data.
    case binding = "HCL binding"
    /// The processor's report was asked for by the paravisor, not by the guest under it.
    case level = "paravisor level"
    /// The quote is of the stored TDREPORT.
    case tdReport = "TD report"
    /// The runtime data holds what this session wrote.
    case userData = "HCL user data"

    /// A finding of this check.
    func finding(
        _ holds: Bool, expected: String, actual: String, note: String? = nil
    ) -> Finding {
        Finding(
            check: rawValue, outcome: holds ? .ok : .refused, expected: expected, actual: actual,
            note: note)
    }

    /// A finding of this check when it could not be made.
    func notChecked(expected: String, actual: String = "-", because note: String) -> Finding {
        Finding(
            check: rawValue, outcome: .notChecked, expected: expected, actual: actual, note: note)
    }
}
