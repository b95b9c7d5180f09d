/// Every check of an ``IMAVerifier``; each leaves exactly one finding of this name.
///
/// The names are stable. `docs/ima.md` explains each and names the source that it comes from.
public enum IMACheck: String, Sendable, Hashable, CaseIterable {
    /// The bytes are a log.
    case format = "IMA log format"
    /// Every entry hashes to its template hash.
    case templateHashes = "IMA template hashes"
    /// The entries, up to one of them, lead to what the register holds.
    case replay = "IMA replay"
    /// The first entry stands for the registers of the start.
    case bootAggregate = "IMA boot aggregate"
    /// Nothing was measured that could have changed meanwhile.
    case violations = "IMA violations"
    /// Signatures of files are by keys that count.
    case signatures = "IMA signatures"
    /// Every file is one that may be there.
    case policy = "IMA policy"
}

extension IMACheck: VerifierCheck {}
