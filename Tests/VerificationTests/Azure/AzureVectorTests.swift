import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@Suite("Real evidence from Azure", .enabled(if: Vectors.arePresent, "no BOOTGATE_VECTORS at hand"))
struct AzureVectorTests {
    private static let verifier = AzureVerifier(
        snp: SNPVerifier(anchors: TrustAnchor.amd), tdx: TDXVerifier(anchors: TrustAnchor.intel))

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

    @Test(
        "every case on TDX gets its verdict, for the reason the case gives",
        arguments: try Vectors.entries(["azure-hcl-tdx"]))
    func tdx(entry: VectorEntry) throws {
        for one in entry.expect.cases {
            let endorsement = AzureEvidence.Endorsement.tdx(
                quote: try entry.file("tdx-quote"), collateral: nil)
            let result = try verify(entry, one, endorsement)
            #expect(
                (result.claims != nil) == (one.result == "accept"),
                "\(entry.id): \(result.findings)")
            if let reason = one.reason {
                let check = try #require(Self.checks[reason])
                #expect(result.refused.first == check, "\(entry.id): \(result.refused)")
            } else {
                #expect(result.claims?.tdx != nil)
                #expect(result.claims?.launchClass == .paravisorVTPM)
            }
        }
    }

    @Test("a changed TDREPORT, or another quote, is not the quote's own")
    func tdReport() throws {
        let entry = try #require(
            try Vectors.entries(["azure-hcl-tdx"]).first { !$0.tags.contains("negative") })
        let one = try #require(entry.expect.cases.first)
        let endorsement = AzureEvidence.Endorsement.tdx(
            quote: try entry.file("tdx-quote"), collateral: nil)
        // Type, digest of the TCB info, MRSEAM, attributes, MRTD, a register; with the MAC left out.
        for offset in [
            0x20, 0x20 + 0x30, 0x20 + 0x100 + 0x20, 0x20 + 0x200, 0x20 + 0x210, 0x20 + 0x300,
        ] {
            let result = try verify(entry, one, endorsement) { $0[offset] ^= 1 }
            #expect(result.refused.contains("TD report"), "offset \(offset): \(result.refused)")
            #expect(result.claims == nil)
        }
        // A report of another domain whose own hashes hold: only the quote tells.
        let other = try verify(entry, one, endorsement) { bytes in
            bytes[0x20 + 0x210] ^= 1
            let digest = OpenSSLHashing().sha384(Array(bytes[0x220..<0x420])).bytes
            bytes.replaceSubrange(0x70..<0xa0, with: digest)
        }
        #expect(other.refused == ["TD report", "TPM key trust"], "\(other.refused)")
        let snp = try verify(entry, one, .snp(SNPCertificates()))
        #expect(snp.refused == ["HCL binding", "TPM key trust"] && snp.claims == nil)
        let cut = AzureEvidence.Endorsement.tdx(
            quote: Array(try entry.file("tdx-quote").prefix(700)), collateral: nil)
        #expect(try verify(entry, one, cut).claims == nil)
        #expect(try verify(entry, one, cut).refused.contains("TPM key trust"))
    }

    private func verify(
        _ entry: VectorEntry, _ one: VectorEntry.Case, _ endorsement: AzureEvidence.Endorsement,
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> AzureResult {
        var report = try entry.file("azure-hcl-report")
        change(&report)
        let nonce = one.inputs?["nonce"].flatMap { Hex.decode($0) }
        let values = try? entry.file("pcr-values")
        return Self.verifier.verify(
            AzureEvidence(
                hclReport: report,
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
