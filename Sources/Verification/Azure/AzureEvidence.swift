public import Bytes
public import Evidence
import OpenSSL
public import Policy

/// What a VM behind Azure's paravisor sends, as it came.
public struct AzureEvidence: Sendable {
    /// What the processor's part is checked with.
    public enum Endorsement: Sendable {
        /// The VCEK and its issuers, from whatever source; a host's metadata service will do.
        case snp(SNPCertificates)
        /// The quote that the host's service made of the stored TDREPORT, which nobody believes before
        /// it is checked, and Intel's documents about the platform, if there are any.
        case tdx(quote: [UInt8], collateral: TDXCollateral?)
    }

    /// The contents of NV index 0x01400001.
    public var hclReport: [UInt8]
    /// The vTPM's quote, signed by the key at handle 0x81000003.
    public var quote: TPMQuoteVerifier.Quote
    /// What the processor's part is checked with.
    public var endorsement: Endorsement

    /// Takes everything as it came.
    public init(hclReport: [UInt8], quote: TPMQuoteVerifier.Quote, endorsement: Endorsement) {
        self.hclReport = hclReport
        self.quote = quote
        self.endorsement = endorsement
    }
}

/// What evidence from Azure has to be over.
public struct AzureExpectation: Sendable {
    /// What the vTPM's quote has to be over.
    public var quote: TPMQuoteVerifier.Expectation
    /// user-data of the runtime data; nil where nobody asked for any.
    public var userData: FixedBytes<64>?

    /// Expects `quote`, and `userData` in the runtime data.
    public init(quote: TPMQuoteVerifier.Expectation, userData: FixedBytes<64>?) {
        self.quote = quote
        self.userData = userData
    }

    /// What a launch needs: extraData = SHA-256(binding), which fits a TPM's 50 bytes, and the user data
    /// = binding.
    public init(launchBinding binding: FixedBytes<64>, selection: PCRSelection?) {
        self.init(
            quote: TPMQuoteVerifier.Expectation(
                nonce: OpenSSLHashing().sha256(binding.bytes).bytes, selection: selection),
            userData: binding)
    }
}

/// What an ``AzureVerifier`` saw: every check, and claims only if they all held.
public struct AzureResult: Sendable, Equatable {
    /// One finding for each ``AzureCheck``, then the processor's, then one for each ``TPMCheck``. The
    /// processor's `binding` is ``AzureCheck/binding`` here.
    public let findings: [Finding]
    /// What the processor said of the paravisor and what the vTPM said; nil unless everything is
    /// authentic.
    public let claims: Claims?
    /// The paravisor's runtime data as it was read, for a ledger. Believe ``claims`` only.
    public let runtimeData: HCLRuntimeData?
    /// Where the quote rests on SHA-1, in words for an owner; empty where it does not.
    public let weakAlgorithms: [String]
}
