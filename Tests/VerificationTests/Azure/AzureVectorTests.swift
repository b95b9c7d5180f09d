import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@Suite("Real evidence from Azure", .enabled(if: Vectors.arePresent, "no BOOTGATE_VECTORS at hand"))
struct AzureVectorTests {
    private static let verifier = AzureVerifier(snp: SNPVerifier(anchors: TrustAnchor.amd))

    private static let checks: [String: String] = [
        "nonce-mismatch": "TPM nonce", "pcr-digest-mismatch": "PCR digest",
        "tpm-quote-bad-signature": "TPM signature", "hcl-binding-mismatch": "HCL binding",
    ]

    @Test(
        "every case on SNP gets its verdict, for the reason the case gives",
        arguments: try Vectors.entries(["azure-hcl-snp"]))
    func snp(entry: VectorEntry) throws {
        let certificates = SNPCertificates(
            endorsementKey: try entry.file("vcek-der"),
            intermediate: try Vectors.bytes("roots/sev-milan.der"),
            root: try Vectors.bytes("roots/ark-milan.der"))
        for one in entry.expect.cases {
            let result = try verify(entry, one, .snp(certificates))
            let isAccepted = result.claims != nil
            #expect(isAccepted == (one.result == "accept"), "\(entry.id): \(result.findings)")
            if let reason = one.reason {
                let check = try #require(Self.checks[reason])
                #expect(result.refused.first == check, "\(entry.id): \(result.refused)")
            }
        }
    }

    private func verify(
        _ entry: VectorEntry, _ one: VectorEntry.Case, _ endorsement: AzureEvidence.Endorsement
    ) throws -> AzureResult {
        let nonce = one.inputs?["nonce"].flatMap { Hex.decode($0) }
        let values = try? entry.file("pcr-values")
        return Self.verifier.verify(
            AzureEvidence(
                hclReport: try entry.file("azure-hcl-report"),
                quote: TPMQuoteVerifier.Quote(
                    attestation: try entry.file("tpms-attest"),
                    signature: .bareRSASSASHA256(try entry.file("rsassa-sha256-signature-raw")),
                    values: try values.map { try PCRValues(json: $0) }),
                endorsement: endorsement),
            expected: AzureExpectation(
                quote: TPMQuoteVerifier.Expectation(nonce: nonce, nonceIsOptional: nonce == nil),
                userData: nil),
            at: try #require(one.time))
    }
}
