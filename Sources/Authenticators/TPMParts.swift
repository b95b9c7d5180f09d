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

    /// The check that the evidence names the key that it holds.
    static let nameCheck = "TPM key name"

    private static let items: [EvidenceItem.Content] = [
        .tpmQuote, .tpmSignature, .tpmPublic, .pcrValues,
    ]

    /// Takes the items apart; nil where there are none.
    ///
    /// - Throws: where some came without the others or without the key's name, or with something
    ///   unreadable.
    init?(_ evidence: EvidenceMessage) throws(ParseError) {
        let present = Self.items.compactMap { evidence.data($0) }
        guard present.isEmpty || present.count == Self.items.count else {
            throw .invalid(
                field: "items",
                rule: "expected tpm_quote, tpm_signature, tpm_public and pcr_values together")
        }
        guard present.isEmpty == evidence.attestationKeyName.isEmpty else {
            throw .invalid(
                field: "attestation_key_name",
                rule: present.isEmpty
                    ? "expected none without tpm_quote" : "expected one beside tpm_quote")
        }
        guard !present.isEmpty else { return nil }
        let (attestation, signature, area, values) = (
            present[0], present[1], present[2], present[3]
        )
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

    /// The name that the binding holds has to be that of the key. Whether anything vouches for the key
    /// is another check.
    var nameFinding: Finding {
        let own = key.name?.bytes ?? []
        return Finding(
            check: Self.nameCheck, outcome: own == keyName ? .ok : .refused,
            expected: "the name of tpm_public, \(Hex.encode(own))", actual: Hex.encode(keyName))
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
