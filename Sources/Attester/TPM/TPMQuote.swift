public import Bytes
public import Evidence
import Protocol
public import TPM

/// A quote of this machine's TPM with what a verifier needs to read it.
public struct TPMQuote: Equatable, Sendable {
    /// TPM name of the key that signed.
    public let keyName: [UInt8]
    /// TPMT_PUBLIC of that key.
    public let publicArea: [UInt8]
    /// TPMS_ATTEST, as it was signed.
    public let attest: [UInt8]
    /// TPMT_SIGNATURE over ``attest``.
    public let signature: [UInt8]
    /// What ``attest`` says.
    public let attestation: TPMAttestation
    /// The registers of the quote; their digest is the quote's.
    public let values: PCRValues

    /// Items 4 to 7 of EVIDENCE.
    var items: [EvidenceItem] {
        [
            EvidenceItem(.tpmQuote, attest), EvidenceItem(.tpmSignature, signature),
            EvidenceItem(.tpmPublic, publicArea), EvidenceItem(.pcrValues, values.encoded),
        ]
    }

    /// Opens `device`, quotes by `plan` over `extraData` (64 bytes at most; some TPMs take no more than
    /// 50), and closes it again. No report vouches for the key.
    public static func make(
        _ device: TPM.Device, _ plan: TPMQuotePlan, over extraData: [UInt8], hashing: any Hashing
    ) throws(AttesterError) -> TPMQuote {
        let quoter = TPMQuoter(hashing: hashing)
        let tpm = try TPMQuoter.open(device)
        let signer = try quoter.attestationKey(of: tpm, plan)
        return try quoter.quote(tpm, signer.key, plan, extraData: extraData)
    }
}
