import Bytes
import Evidence
import OpenSSL
@_spi(Verified) import Policy

/// Says whether a report of Azure's paravisor and a quote of its vTPM are genuine and over this session.
///
/// The chain is: the processor signs a report whose REPORT_DATA is a digest of the runtime data; that
/// names the key of the vTPM; that key signs a quote over the nonce. Nothing asks a cloud's service.
/// The paravisor is code of the cloud's provider, so the class is `paravisor-vtpm`.
public struct AzureVerifier: Sendable {
    private let snp: SNPVerifier
    private let tdx: TDXVerifier

    /// Leaves the processor's part to `snp` and `tdx`, whose memory of chains it shares; without `tdx`
    /// no root of Intel's is believed.
    public init(snp: SNPVerifier, tdx: TDXVerifier = TDXVerifier(anchors: [])) {
        self.snp = snp
        self.tdx = tdx
    }

    /// Makes every check, also after one that did not hold.
    ///
    /// - Parameter time: the verifier's own clock, Unix seconds.
    public func verify(
        _ evidence: AzureEvidence, expected: AzureExpectation, at time: Int64
    ) -> AzureResult {
        do throws(ParseError) {
            let report = try HCLReport(parsing: evidence.hclReport)
            let data = try HCLRuntimeData(parsing: report.variableData)
            return try verify(evidence, report, data, expected, time)
        } catch {
            return Self.unreadable(error, evidence, expected)
        }
    }

    private func verify(
        _ evidence: AzureEvidence, _ report: HCLReport, _ data: HCLRuntimeData,
        _ expected: AzureExpectation, _ time: Int64
    ) throws(ParseError) -> AzureResult {
        let key = try Self.attestationKey(data)
        let part = ProcessorPart(
            report, evidence.endorsement, snp: snp, tdx: tdx, at: time)
        let own = [
            AzureCheck.report.finding(
                true, expected: Self.readable,
                actual: "version \(report.version), a \(part.kind) report"),
            part.binding, part.level, part.tdReport, Self.userData(data, expected.userData),
        ]
        // The vTPM's key is believed only if the processor vouches for the data that names it.
        let isVouchedFor =
            part.hardware != nil && (own + part.findings).allSatisfy { $0.outcome != .refused }
        let trust = TPMCheck.keyTrust.finding(
            isVouchedFor, expected: "runtime data that the processor vouches for",
            actual: isVouchedFor ? "HCLAkPub" : "HCLAkPub, of which the processor does not say so")
        let tpm = TPMQuoteVerifier.verify(
            evidence.quote, key: key, trust: .paravisor,
            trustFindings: KeyCertificateChain.absent("the key's trust rests on no certificate")
                + [trust], expected: expected.quote)
        var claims: Claims?
        if isVouchedFor, let hardware = part.hardware, let quoted = tpm.claims {
            claims = Claims(hardware: hardware, tpm: quoted)
        }
        return AzureResult(
            findings: own + part.findings + tpm.findings, claims: claims, runtimeData: data,
            weakAlgorithms: tpm.weakAlgorithms)
    }

    private static func attestationKey(
        _ data: HCLRuntimeData
    ) throws(ParseError) -> AttestationKey {
        do throws(CryptoError) {
            return AttestationKey(
                key: try VerificationKey(
                    rsaModulus: data.attestationKey.modulus,
                    exponent: data.attestationKey.exponent))
        } catch {
            throw .invalid(field: "HCLAkPub", rule: "must be an RSA key, \(error)")
        }
    }

    private static func userData(
        _ data: HCLRuntimeData, _ expected: FixedBytes<64>?
    ) -> Finding {
        let actual = data.userData?.hex ?? "none"
        guard let expected else {
            return AzureCheck.userData.notChecked(
                expected: "what this session wrote", actual: actual,
                because: "nobody asked for any")
        }
        return AzureCheck.userData.finding(
            data.userData == expected, expected: expected.hex, actual: actual)
    }

    private static let readable = "an HCL report with runtime data, version 1 or 2"

    /// All findings when there is no report to look at.
    private static func unreadable(
        _ error: ParseError, _ evidence: AzureEvidence, _ expected: AzureExpectation
    ) -> AzureResult {
        let reason = "the HCL report is unreadable"
        let own = AzureCheck.allCases.map { check in
            check == .report
                ? check.finding(false, expected: readable, actual: "\(error)")
                : check.notChecked(expected: "an HCL report", because: reason)
        }
        let tpm = TPMCheck.allCases.map {
            $0.notChecked(expected: "the vTPM's key", because: reason)
        }
        return AzureResult(
            findings: own + tpm, claims: nil, runtimeData: nil, weakAlgorithms: [])
    }
}
