import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// Reports of Azure's paravisor with its TPM's quote.
struct AzureCases {
    let files: CaseFiles

    func verdict() throws(VectorFault) -> Verdict {
        try files.one.require(onlyPolicy: ["collateral", "trust_anchor", "allow_debug"])
        let snp = SNPCases(files: files)
        let tdx = TDXCases(files: files)
        let endorsement: AzureEvidence.Endorsement
        var certificates: [X509Certificate] = []
        let verifier: AzureVerifier
        if files.entry.kind == "azure-hcl-tdx" {
            endorsement = .tdx(
                quote: try files.required("tdx-quote"), collateral: try tdx.collateral())
            verifier = AzureVerifier(
                snp: SNPVerifier(anchors: []), tdx: TDXVerifier(anchors: try tdx.anchors()))
        } else {
            let chain = try snp.chain()
            certificates = chain.certificates
            endorsement = .snp(chain.given)
            verifier = AzureVerifier(
                snp: SNPVerifier(anchors: chain.anchors), tdx: TDXVerifier(anchors: []))
        }
        let nonce = try files.one.bytes("nonce")
        let time = files.one.time ?? certificates.first.map { ($0.notBefore + $0.notAfter) / 2 }
        let result = verifier.verify(
            AzureEvidence(
                hclReport: try files.required("azure-hcl-report"),
                quote: TPMQuoteVerifier.Quote(
                    attestation: try files.required("tpms-attest"), signature: try signature(),
                    values: try TPMCases(files: files).values()), endorsement: endorsement),
            expected: AzureExpectation(
                quote: TPMQuoteVerifier.Expectation(nonce: nonce, nonceIsOptional: nonce == nil),
                userData: nil), at: time ?? 0)
        return Verdict(result.findings, certificates, at: time ?? 0, words: Self.words)
            .orNoClaims(result.claims != nil)
    }

    /// Behind a paravisor the quote's signature has a word of its own.
    private static let words = ["TPM signature": "tpm-quote-bad-signature"]

    private func signature() throws(VectorFault) -> TPMQuoteVerifier.Quote.Signature {
        if let bare = try files.optional("rsassa-sha256-signature-raw") {
            return .bareRSASSASHA256(bare)
        }
        return .structure(try files.required("tpmt-signature"))
    }
}
