import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("Real TDX quotes", .enabled(if: Vectors.arePresent, "no BOOTGATE_VECTORS at hand"))
struct TDXVectorTests {
    @Test(
        "every case gets its verdict, for the reason the case gives",
        arguments: try Vectors.entries(["tdx-quote-v4", "tdx-quote-v5", "sgx-quote-v3", "tdreport"])
    )
    func cases(entry: VectorEntry) throws {
        let role =
            entry.kind == "tdreport"
            ? "tdreport" : entry.kind == "sgx-quote-v3" ? "sgx-quote" : "tdx-quote"
        let bytes = try entry.file(role)
        // Replays of logs have tests of their own.
        for one in entry.expect.cases where one.inputs?["event_log"] == nil {
            var anchors = TrustAnchor.intel
            if let name = one.policy?.trust_anchor,
                let file = entry.files.first(where: { $0.path.hasSuffix("/\(name)") })
            {
                let root = try X509Certificate(pem: try Vectors.bytes(file.path))
                anchors = [
                    TrustAnchor(
                        name: name, family: .tdx, keyDigest: root.subjectPublicKeyInfoDigest)
                ]
            }
            let collateral =
                one.policy?.collateral == "none"
                ? nil
                : (try? entry.file("tdx-collateral")).flatMap { try? TDXCollateral(json: $0) }
            let result = TDXVerifier(anchors: anchors).verify(
                quoteBytes: bytes, trailer: .anything, collateral: collateral,
                expected: one.inputs?["report_data"].flatMap { FixedBytes<64>(hex: $0) },
                bindingIsOptional: true, at: one.time ?? 1_700_000_000)
            let reasons = reasons(result, one)
            #expect(
                reasons.isEmpty == (one.result == "accept"),
                "\(entry.id), \(one.name): \(reasons) \(result.findings)")
            if let reason = one.reason {
                #expect(reasons.first == reason, "\(entry.id), \(one.name): \(reasons)")
            }
        }
    }

    /// In the words of the index.
    private func reasons(_ result: TDXResult, _ one: VectorEntry.Case) -> [String] {
        var reasons: [String] = []
        for finding in result.findings where finding.outcome == .refused {
            let isLate = finding.actual.contains("expired")
            switch TDXCheck(rawValue: finding.check) {
            case .teeType: reasons.append("wrong-tee-type")
            case .quote: reasons.append("malformed")
            case .signature: reasons.append("bad-signature")
            case .attestationKey: reasons.append("attestation-key-not-bound")
            case .qeReport: reasons.append("qe-report-signature-bad")
            case .chain: reasons.append("chain-broken")
            case .root: reasons.append("untrusted-root")
            case .certificateDates:
                reasons.append(isLate ? "cert-expired" : "cert-not-yet-valid")
            case .collateralDates:
                reasons.append(isLate ? "collateral-expired" : "collateral-not-yet-valid")
            case .binding: reasons.append("report-data-mismatch")
            case .tcbLevel: reasons.append("tcb-not-supported")
            default: reasons.append(finding.check)
            }
        }
        guard let claims = result.claims else { return reasons }
        if claims.body.tdAttributes.allowsDebug, one.policy?.allow_debug != true {
            reasons.append("debug-enabled")
        }
        if let wanted = one.policy?.mr_td, claims.body.mrTD.hex != wanted {
            reasons.append("measurement-mismatch")
        }
        let accepted = one.policy?.accepted_tcb_statuses ?? ["UpToDate"]
        if one.policy?.collateral != "none",
            !accepted.contains(claims.tcbStatus?.rawValue ?? "none")
        {
            reasons.append("tcb-out-of-date")
        }
        return reasons
    }
}
