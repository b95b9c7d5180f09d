import Bytes
import Evidence
import OpenSSL
import Policy

/// The checks of one quote against the chain within it.
struct TDXQuoteChecks {
    let quote: TDXQuote
    let chain: PCKChain
    /// The attestation key, or why its point is none.
    let key: Result<VerificationKey, CryptoError>

    /// The quote's signature, over the bytes as they came.
    var signature: Finding {
        let expected = "ECDSA P-256 with SHA-256 by the attestation key"
        switch key {
        case .success(let key):
            let holds = key.verify(
                quote.signature.bytes, over: quote.signedBytes, scheme: .ecdsa(.sha256))
            return TDXCheck.signature.finding(
                holds, expected: expected,
                actual: holds ? "by the attestation key" : "not by the attestation key")
        case .failure(let error):
            return TDXCheck.signature.finding(
                false, expected: expected, actual: "attestation \(error)")
        }
    }

    /// The report data of the quoting enclave: SHA-256 over key and authentication data, then zeros.
    var attestationKey: Finding {
        let digest = OpenSSLHashing().sha256(
            quote.attestationKey.bytes + quote.qeAuthenticationData)
        let expected = digest.bytes + [UInt8](repeating: 0, count: 32)
        return TDXCheck.attestationKey.finding(
            FixedBytes<64>(expected) == quote.qeReport.reportData,
            expected: "QE REPORTDATA \(Hex.encode(expected))",
            actual: quote.qeReport.reportData.hex)
    }

    /// The quoting enclave's report, signed with the PCK.
    var qeReport: Finding {
        let expected = "ECDSA P-256 with SHA-256 by the PCK"
        guard let key = chain.key, let leaf = chain.leaf else {
            return TDXCheck.qeReport.notChecked(
                expected: expected, because: "no PCK certificate that can be read")
        }
        let holds = key.verify(
            quote.qeReportSignature.bytes, over: quote.qeReport.bytes, scheme: .ecdsa(.sha256))
        return TDXCheck.qeReport.finding(
            holds, expected: expected,
            actual: "\(holds ? "by" : "not by") the PCK of serial number \(leaf.serialHex)")
    }

    /// MRSIGNERSEAM and SEAMATTRIBUTES, which are zero for modules that Intel signed for production.
    var moduleSigner: Finding {
        let body = quote.body
        return TDXCheck.moduleSigner.finding(
            body.mrSignerSEAM.isZero && body.seamAttributes.isZero,
            expected: "MRSIGNERSEAM and SEAMATTRIBUTES zero",
            actual: "MRSIGNERSEAM \(body.mrSignerSEAM.hex), "
                + "SEAMATTRIBUTES \(body.seamAttributes.hex)")
    }

    /// REPORTDATA against what this session wants; the comparison takes the same time for any bytes.
    func binding(to expected: FixedBytes<64>?) -> Finding {
        let actual = quote.body.reportData
        guard let expected else {
            return TDXCheck.binding.notChecked(
                expected: "any REPORTDATA", actual: actual.hex, because: "nothing was expected")
        }
        return TDXCheck.binding.finding(
            actual == expected, expected: expected.hex, actual: actual.hex,
            note: "this TLS session, this nonce, this key, this configuration")
    }
}
