import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@Suite("Real SNP evidence", .enabled(if: Vectors.arePresent, "no BOOTGATE_VECTORS at hand"))
struct VectorTests {
    private static let verifier = SNPVerifier(anchors: TrustAnchor.amd)

    @Test(
        "every case of a report gets its verdict, for the reason the case gives",
        arguments: try Vectors.entries(["snp-report-v2", "snp-report-v3", "snp-report-v5"]))
    func reports(entry: VectorEntry) throws {
        let bytes = try entry.file("report")
        for one in entry.expect.cases {
            let findings = try findings(entry, one, bytes)
            let isAccepted =
                findings.contains { $0.check == "measurement" }
                && findings.allSatisfy { $0.outcome != .refused }
            #expect(
                isAccepted == (one.result == "accept"),
                "\(entry.id), \(one.name): \(findings.filter { $0.outcome != .ok })")
            guard let reason = one.reason, let checks = Self.checks[reason] else { continue }
            let refused = findings.filter { $0.outcome == .refused }.map(\.check)
            #expect(
                !checks.isDisjoint(with: refused),
                "\(entry.id), \(one.name): \(reason) is none of \(refused)")
        }
    }

    @Test(
        "each separate expectation of a report shows in the finding of that name",
        arguments: try Vectors.entries(["snp-report-v2", "snp-report-v3", "snp-report-v5"]))
    func separateChecks(entry: VectorEntry) throws {
        let bytes = try entry.file("report")
        guard let report = try? SNPReport(parsing: bytes) else { return }
        let result = Self.verifier.verify(
            reportBytes: bytes, certificates: try certificates(entry), expected: report.reportData,
            at: 1_700_000_000)
        let expected: [(check: String, holds: Bool?)] = [
            ("signature", entry.expect.report_signature),
            ("chain", entry.expect.certificate_chain),
            ("endorsed chip", entry.expect.chip_id_equals_cert),
            ("endorsed TCB", entry.expect.reported_tcb_equals_cert),
        ]
        for (check, holds) in expected {
            guard let finding = result.findings.first(where: { $0.check == check }) else {
                Issue.record("no finding \(check)")
                continue
            }
            let outcome = holds.map { $0 ? Finding.Outcome.ok : .refused } ?? .notChecked
            #expect(finding.outcome == outcome, "\(entry.id): \(finding)")
        }
    }

    @Test(
        "a certificate without a report is judged for its chain",
        arguments: try Vectors.entries(["snp-vcek-certificate"]))
    func certificatesAlone(entry: VectorEntry) throws {
        for one in entry.expect.cases {
            let result = Self.verifier.verify(
                certificates: try certificates(entry), at: try #require(one.time))
            #expect(
                result.isGenuine == (one.result == "accept"), "\(entry.id): \(result.findings)")
            guard let reason = one.reason, let checks = Self.checks[reason] else { continue }
            let refused = result.findings.filter { $0.outcome == .refused }.map(\.check)
            #expect(!checks.isDisjoint(with: refused), "\(entry.id): \(refused)")
        }
    }

    @Test("a VLEK names the provider that it was lent to")
    func provider() throws {
        let entry = try #require(
            try Vectors.entries(["snp-report-v3"]).first { $0.id == "snp-milan-v3-vlek-a" })
        let report = try SNPReport(parsing: try entry.file("report"))
        let result = Self.verifier.verify(
            reportBytes: try entry.file("report"), certificates: try certificates(entry),
            expected: report.reportData, at: try validTime(entry))
        let claims = try #require(result.claims?.snp)
        #expect(claims.providerID == "CN=cc-us-east-2.amazonaws.com")
        #expect(claims.chipID == nil)
    }

    @Test("a host's real certificate table endorses the report beside it")
    func certificateTable() throws {
        let entry = try #require(
            try Vectors.entries(["snp-report-v3"]).first { $0.id == "snp-genoa-v3-tsm" })
        let table = try SNPCertificateTable(parsing: try entry.file("certificate-table"))
        let report = try SNPReport(parsing: try entry.file("report"))
        let result = Self.verifier.verify(
            reportBytes: try entry.file("report"),
            certificates: SNPCertificates(table, signedBy: report.signingKey),
            expected: report.reportData, at: 1_760_000_000)
        #expect(result.claims?.snp?.product == .genoa)
    }

    /// The checks that may show a reason of the index; a padded signature is refused as unreadable.
    private static let checks: [String: Set<String>] = [
        "bad-signature": ["signature", "report"],
        "malformed": ["report"],
        "chain-broken": ["chain"],
        "cert-expired": ["certificate dates"],
        "cert-not-yet-valid": ["certificate dates"],
        "report-data-mismatch": ["binding"],
        "chip-id-mismatch": ["endorsed chip"],
        "measurement-mismatch": ["measurement"],
        "tcb-below-minimum": ["minimum TCB"],
        "debug-enabled": ["debug"],
        "vmpl-mismatch": ["VMPL"],
        "wrong-signer-type": ["signing key"],
    ]

    /// The verifier's findings and, if it made claims, a policy's after them.
    private func findings(
        _ entry: VectorEntry, _ one: VectorEntry.Case, _ bytes: [UInt8]
    ) throws -> [Finding] {
        let report = try? SNPReport(parsing: bytes)
        let given = one.inputs?["report_data"].flatMap { FixedBytes<64>(hex: $0) }
        let result = Self.verifier.verify(
            reportBytes: bytes,
            certificates: try certificates(entry, intermediate: one.inputs?["intermediate"]),
            expected: given ?? report?.reportData ?? FixedBytes(),
            at: try one.time ?? validTime(entry))
        guard let claims = result.claims, let snp = claims.snp else { return result.findings }
        let context = LaunchContext(
            vm: "vector", vmIsEnabled: true, runtimeHasFailed: false, configDigest: snp.hostData,
            enrolledConfigDigest: snp.hostData, headerDigest: FixedBytes(),
            enrolledHeaderDigests: [FixedBytes()], reportIDHistory: .never, now: 0)
        let policy = try policy(one.policy, snp)
        return result.findings + policy.evaluate(claims, in: context)
    }

    /// What the case asks for; in all else, whatever the report says is wanted.
    private func policy(
        _ wanted: VectorEntry.CasePolicy?, _ claims: SNPClaims
    ) throws -> AppraisalPolicy {
        var rules = PolicyRules(name: "vector")
        let measurement = wanted?.measurement.flatMap { FixedBytes<48>(hex: $0) }
        rules.measurements = [
            ReferenceMeasurement(
                label: "wanted", value: measurement ?? claims.measurement,
                covers: Set(Coverage.allCases))
        ]
        var minimum: [TCBComponent: UInt8] = [:]
        for part in claims.product.components {
            minimum[part] = wanted?.minimum_tcb?[part.rawValue] ?? 0
        }
        rules.minimumTCB[claims.product] = minimum
        rules.allowsDebug = wanted?.allow_debug ?? false
        rules.vmpl = wanted?.vmpl ?? UInt8(claims.vmpl)
        rules.signingKeys = wanted?.require_vcek == true ? [.vcek] : [.vcek, .vlek]
        return try AppraisalPolicy(validating: rules)
    }

    private func certificates(
        _ entry: VectorEntry, intermediate: String? = nil
    ) throws -> SNPCertificates {
        let isVLEK = entry.tags.contains("vlek")
        let line = entry.tags[0]
        let issuer = intermediate ?? (isVLEK ? "SEV-VLEK-\(line)" : "SEV-\(line)")
        return SNPCertificates(
            endorsementKey: try entry.file(isVLEK ? "vlek-der" : "vcek-der"),
            intermediate: try Vectors.bytes("roots/\(issuer.lowercased()).der"),
            root: try Vectors.bytes("roots/ark-\(line).der"))
    }

    private func validTime(_ entry: VectorEntry) throws -> Int64 {
        let leaf = entry.tags.contains("vlek") ? "vlek-der" : "vcek-der"
        let certificate = try X509Certificate(der: try entry.file(leaf))
        return (certificate.notBefore + certificate.notAfter) / 2
    }
}
