import AgentAPI
import Attester
public import Bytes
import Evidence
import Protocol
import TPM

/// A TPM's quote in the parts in which `cosmian_vm` takes it.
public struct CosmianTPMQuote: Equatable, Sendable {
    /// Name of the hash function of the quoted bank, such as `Sha256`.
    public let pcrHash: String
    /// TPMS_ATTEST.
    public let quote: [UInt8]
    /// TPMT_SIGNATURE.
    public let signature: [UInt8]
    /// TPMT_PUBLIC.
    public let publicKey: [UInt8]
}

extension RuntimeEvidence {
    /// A bare report or quote over `nonce` and SHA-256 of the leaf certificate: GET /quote/tee.
    ///
    /// Bound to no connection; a client that understands more asks for `evidence`.
    public func cosmianTEEQuote(
        nonce: FixedBytes<32>
    ) throws(RuntimeEvidenceError) -> [UInt8] {
        guard let reportData = FixedBytes<64>(nonce.bytes + subject.certificate.bytes) else {
            throw .unusable(field: "nonce", rule: "expected 32 bytes")
        }
        let message = try machine.asking(nil) { platform throws(AttesterError) in
            switch platform.kind {
            case .snp, .tdx, .svsm: return try platform.evidence { _ in reportData }
            case .azureSNP, .azureTDX:
                throw .badReport(
                    field: "REPORT_DATA",
                    problem: "belongs to Azure's paravisor; ask for \(AgentPath.evidence) instead")
            }
        }
        return message.data(.report) ?? []
    }

    /// A quote of PCR 10 over the caller's own bytes: GET /quote/tpm.
    ///
    /// By a key of its own, since a caller chooses what it signs.
    ///
    /// - Parameter nonce: 1 to 64 bytes; some TPMs take no more than 50.
    public func cosmianTPMQuote(
        nonce: [UInt8]
    ) throws(RuntimeEvidenceError) -> CosmianTPMQuote {
        guard (1...64).contains(nonce.count) else {
            throw .unusable(
                field: "nonce", rule: "expected 1 to 64 bytes, found \(nonce.count)")
        }
        let made = try machine.askingTPM { device throws(AttesterError) in
            try TPMQuote.make(device, .cosmian, over: nonce, hashing: hashing)
        }
        guard let made else {
            throw .absent(.tpm(.library(problem: "this machine has no TPM")))
        }
        let bank = made.attestation.selection.banks.first?.algorithm ?? .sha256
        return CosmianTPMQuote(
            pcrHash: bank.rawValue.prefix(1).uppercased() + bank.rawValue.dropFirst(),
            quote: made.attest, signature: made.signature, publicKey: made.publicArea)
    }
}
