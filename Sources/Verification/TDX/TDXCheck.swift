/// Every check that a ``TDXVerifier`` makes; each leaves exactly one finding of this name.
///
/// The names are stable, and none of them is a name of a policy's check. `docs/evidence-tdx.md`
/// explains each and names the document that it comes from.
public enum TDXCheck: String, Sendable, Hashable, CaseIterable {
    /// The bytes are a trust domain's quote, not an enclave's.
    case teeType = "TEE type"
    /// The bytes are a quote that can be read.
    case quote = "TDX quote"
    /// The attestation key signed the quote.
    case signature = "quote signature"
    /// The quoting enclave vouches for the attestation key.
    case attestationKey = "attestation key"
    /// The platform's certified key signed the quoting enclave's report.
    case qeReport = "QE report"
    /// The certificates are of the right kinds and signed by each other.
    case chain = "PCK chain"
    /// The chain ends in a root key that is pinned.
    case root = "Intel root"
    /// Every certificate is valid at the verifier's time.
    case certificateDates = "certificate dates"
    /// The TDX module is one of Intel's own.
    case moduleSigner = "module signer"
    /// The quote is over this session's binding.
    case binding
    /// The TCB info is Intel's.
    case tcbInfo = "TCB info"
    /// The identity of the quoting enclave is Intel's.
    case qeIdentity = "QE identity"
    /// The revocation lists are the issuers' own.
    case revocationLists = "revocation lists"
    /// TCB info, identity and lists are the last ones.
    case collateralDates = "collateral dates"
    /// No certificate was taken back by its issuer.
    case revocation
    /// The TCB info is for the platform that the certificate names.
    case endorsedPlatform = "endorsed platform"
    /// The quoting enclave is the one of the identity.
    case quotingEnclave = "quoting enclave"
    /// The TDX module is one that the TCB info names.
    case moduleIdentity = "module identity"
    /// Platform, module and quoting enclave have a level, whatever its status.
    case tcbLevel = "TCB level"

    /// Those that need what Intel publishes about a platform; without it they are not made.
    public static let ofCollateral: Set<TDXCheck> = [
        .tcbInfo, .qeIdentity, .revocationLists, .collateralDates, .revocation, .endorsedPlatform,
        .quotingEnclave, .moduleIdentity, .tcbLevel,
    ]
}

extension TDXCheck: VerifierCheck {}
