import Bytes
import Evidence
import OpenSSL
import Policy
import Protocol
import Verification

/// What an EVIDENCE has of a TPM: a quote, the key that signed it, and the registers' values.
struct TPMParts {
    /// The quote as it came.
    let quote: TPMQuoteVerifier.Quote
    private let key: AttestationKey
    private let keyName: [UInt8]

    /// Takes the items apart; nil where there is no quote.
    ///
    /// - Throws: where a quote came without what belongs to it, or with something unreadable.
    init?(_ evidence: EvidenceMessage) throws(ParseError) {
        guard let attestation = evidence.data(.tpmQuote) else { return nil }
        guard let signature = evidence.data(.tpmSignature), let area = evidence.data(.tpmPublic),
            let values = evidence.data(.pcrValues)
        else {
            throw .invalid(
                field: "items",
                rule: "expected tpm_signature, tpm_public and pcr_values beside tpm_quote")
        }
        quote = TPMQuoteVerifier.Quote(
            attestation: attestation, signature: .structure(signature),
            values: try PCRValues(parsing: values))
        let publicArea = try TPMPublic(parsing: area)
        do throws(CryptoError) {
            key = try AttestationKey(publicArea: publicArea)
        } catch {
            throw .invalid(field: "tpm_public", rule: "expected a usable key: \(error)")
        }
        keyName = evidence.attestationKeyName
    }

    /// Verifies the quote, which has to be over SHA-256(binding).
    ///
    /// - Parameter isVouchedFor: whether the processor's report over `binding` was found authentic: the
    ///   binding holds the key's name, so the report then vouches for the key.
    func verify(
        isVouchedFor: Bool, binding: FixedBytes<64>, at time: Int64
    ) -> TPMResult {
        verify(
            trust: isVouchedFor ? .teeReport(keyName: keyName) : .nothing, binding: binding,
            at: time)
    }

    /// The same with `trust` for the key.
    func verify(trust: KeyTrustEvidence, binding: FixedBytes<64>, at time: Int64) -> TPMResult {
        TPMQuoteVerifier(anchors: []).verify(
            quote, key: key, trust: trust,
            expected: TPMQuoteVerifier.Expectation(
                nonce: OpenSSLHashing().sha256(binding.bytes).bytes),
            at: time)
    }
}
