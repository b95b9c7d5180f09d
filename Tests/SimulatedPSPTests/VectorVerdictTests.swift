import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@testable import SimulatedPSP

/// Self-made vectors before the verifiers that they are made for.
@Suite("Verdicts on self-made vectors")
struct VectorVerdictTests {
    private static let set = Result {
        try VectorsCommand.vectors(seed: "verdicts", vendor: SNPVendor(now: 1_800_000_000))
    }

    private func file(_ entry: VectorEntry, _ role: String) throws -> [UInt8] {
        let path = try #require(entry.files.first { $0.role == role }?.path)
        return try #require(try Self.set.get().bytes(path))
    }

    /// The text of a member; nil where there is none or no text.
    private func text(_ members: [(String, JSONText.Value)], _ name: String) -> String? {
        guard case .string(let text) = members.first(where: { $0.0 == name })?.1 else {
            return nil
        }
        return text
    }

    private func anchors(
        _ entry: VectorEntry, _ one: VectorCase, _ role: String, _ family: TrustAnchor.Family
    ) throws -> [TrustAnchor] {
        guard one.policy.contains(where: { $0.0 == "trust_anchor" }) else { return [] }
        let root = try X509Certificate(der: try file(entry, role))
        return [
            TrustAnchor(
                name: "given", family: family, keyDigest: root.subjectPublicKeyInfoDigest)
        ]
    }

    @Test("every TDX case gets its verdict")
    func tdx() throws {
        for entry in try Self.set.get().entries where entry.kind.hasPrefix("tdx-quote") {
            for one in entry.cases {
                let verdict = try accepts(entry, one)
                #expect(verdict.isAccepted == (one.reason == nil), "\(entry.id) \(one.name)")
                if let reason = one.reason, let check = Self.checks[reason] {
                    #expect(verdict.refused == check, "\(entry.id) \(one.name)")
                }
            }
        }
    }

    private static let checks = [
        "qe-report-signature-bad": "QE report", "attestation-key-not-bound": "attestation key",
        "untrusted-root": "Intel root", "chain-broken": "PCK chain", "cert-revoked": "revocation",
        "wrong-tee-type": "TEE type", "malformed": "TDX quote", "cert-expired": "certificate dates",
        "cert-not-yet-valid": "certificate dates", "report-data-mismatch": "binding",
        "collateral-expired": "collateral dates", "collateral-not-yet-valid": "collateral dates",
    ]

    private func accepts(
        _ entry: VectorEntry, _ one: VectorCase
    ) throws -> (isAccepted: Bool, refused: String?) {
        let isAlone = text(one.policy, "collateral") == "none"
        let collateral =
            isAlone
            ? nil : try? TDXCollateral(json: try file(entry, "tdx-collateral"))
        let result = TDXVerifier(anchors: try anchors(entry, one, "trust-anchor", .tdx)).verify(
            quoteBytes: try file(entry, "tdx-quote"), collateral: collateral,
            expected: text(one.inputs, "report_data").flatMap { FixedBytes(hex: $0) },
            bindingIsOptional: true, at: try #require(one.time))
        let refused = result.findings.first { $0.outcome == .refused }?.check
        guard let claims = result.claims else { return (false, refused) }
        let allowsDebug = one.policy.contains { $0.0 == "allow_debug" }
        if claims.body.tdAttributes.rawValue & 1 == 1, !allowsDebug { return (false, nil) }
        if let pinned = text(one.policy, "mr_td"), claims.body.mrTD.hex != pinned {
            return (false, nil)
        }
        var statuses = ["UpToDate"]
        if case .array(let values) = one.policy.first(where: {
            $0.0 == "accepted_tcb_statuses"
        })?.1 {
            statuses = values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        }
        return (isAlone || statuses.contains(claims.tcbStatus?.rawValue ?? ""), nil)
    }

    @Test("every case behind Azure's paravisor gets its verdict")
    func azure() throws {
        let checks = [
            "nonce-mismatch": "TPM nonce", "pcr-digest-mismatch": "PCR digest",
            "tpm-quote-bad-signature": "TPM signature",
        ]
        for entry in try Self.set.get().entries where entry.kind.hasPrefix("azure") {
            for one in entry.cases {
                let result = try verify(entry, one)
                let refused = result.findings.filter { $0.outcome == .refused }.map(\.check)
                #expect(
                    (result.claims != nil) == (one.reason == nil),
                    "\(entry.id) \(one.name): \(refused)")
                if let check = one.reason.flatMap({ checks[$0] }) {
                    #expect(refused.first == check, "\(entry.id) \(one.name): \(refused)")
                }
            }
        }
    }

    private func verify(_ entry: VectorEntry, _ one: VectorCase) throws -> AzureResult {
        let isTDX = entry.kind == "azure-hcl-tdx"
        let endorsement: AzureEvidence.Endorsement =
            isTDX
            ? .tdx(quote: try file(entry, "tdx-quote"), collateral: nil)
            : .snp(
                SNPCertificates(
                    endorsementKey: try file(entry, "vcek-der"),
                    intermediate: try file(entry, "ask-der"), root: try file(entry, "ark-der")))
        let verifier = AzureVerifier(
            snp: SNPVerifier(
                anchors: isTDX ? [] : try anchors(entry, one, "ark-der", .snp(.milan))),
            tdx: TDXVerifier(
                anchors: isTDX ? try anchors(entry, one, "trust-anchor", .tdx) : []))
        return verifier.verify(
            AzureEvidence(
                hclReport: try file(entry, "azure-hcl-report"),
                quote: TPMQuoteVerifier.Quote(
                    attestation: try file(entry, "tpms-attest"),
                    signature: .bareRSASSASHA256(try file(entry, "rsassa-sha256-signature-raw")),
                    values: try PCRValues(json: try file(entry, "pcr-values"))),
                endorsement: endorsement),
            expected: AzureExpectation(
                quote: TPMQuoteVerifier.Expectation(
                    nonce: text(one.inputs, "nonce").flatMap { Hex.decode($0) }),
                userData: nil),
            at: try #require(one.time))
    }
}
