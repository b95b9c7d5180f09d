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
}

extension AzureCheck: VerifierCheck {}
