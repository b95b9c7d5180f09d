import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@testable import SimulatedPSP

/// One thing that is wrong, everything else being soundly made and signed.
struct Mutation: Sendable, CustomTestStringConvertible {
    let name: String
    /// The checks that must refuse it, and no others.
    let checks: [String]
    let change: @Sendable (inout GenuineEvidence) throws -> Void
    let report: @Sendable (inout [UInt8]) -> Void

    init(
        _ name: String, _ checks: [String],
        change: @escaping @Sendable (inout GenuineEvidence) throws -> Void = { _ in },
        report: @escaping @Sendable (inout [UInt8]) -> Void = { _ in }
    ) {
        self.name = name
        self.checks = checks
        self.change = change
        self.report = report
    }

    var testDescription: String { name }

    func result() throws -> VerificationResult {
        var evidence = try Self.whole()
        try change(&evidence)
        return try evidence.verify(try evidence.report(report))
    }

    /// With a list by each issuer, so that no check is left unmade.
    static func whole() throws -> GenuineEvidence {
        var evidence = try GenuineEvidence(.milan, .vcek, version: 5)
        try evidence.replaceIntermediate { $0.serial = [2] }
        try evidence.replaceLeaf { $0.serial = [3] }
        evidence.certificates.revocationLists = [
            try evidence.revocationList(),
            try evidence.revocationList(byIntermediate: true),
        ]
        return evidence
    }

    private static let now = TestKeys.now

    private static func certificate(
        _ name: String, _ path: any WritableKeyPath<SNPCertificates, [UInt8]?> & Sendable,
        unchecked: [String] = [],
        replace:
            @escaping @Sendable (
                inout GenuineEvidence, (inout CertificateTemplate) -> Void
            ) throws -> Void
    ) -> [Mutation] {
        [
            Mutation("\(name) expired", ["certificate dates"]) { evidence in
                try replace(&evidence) { $0.notAfter = now - 1 }
            },
            Mutation("\(name) not yet valid", ["certificate dates"]) { evidence in
                try replace(&evidence) { $0.notBefore = now + 1 }
            },
            Mutation("\(name) cut", ["chain"] + unchecked) {
                $0.certificates[keyPath: path]?.removeLast()
            },
            Mutation("\(name) with a byte more", ["chain"] + unchecked) {
                $0.certificates[keyPath: path]?.append(0)
            },
            Mutation("\(name) missing", ["chain"] + unchecked) {
                $0.certificates[keyPath: path] = nil
            },
            Mutation("\(name) in PEM", ["chain"] + unchecked) {
                let der = $0.certificates[keyPath: path] ?? []
                $0.certificates[keyPath: path] = try X509Certificate(der: der).pem
            },
            Mutation("\(name) of 100 MB", ["chain"] + unchecked) {
                $0.certificates[keyPath: path] = [UInt8](repeating: 0x30, count: 100 << 20)
            },
        ]
    }

    private static func revoked(_ name: String, _ serial: UInt8, byIntermediate: Bool)
        -> Mutation
    {
        Mutation("\(name) revoked", ["revocation"]) { evidence in
            evidence.certificates.revocationLists.append(
                try evidence.revocationList(byIntermediate: byIntermediate, revoking: [[serial]]))
        }
    }

    private static func field(_ name: String, _ offset: Int, _ value: [UInt8], _ checks: [String])
        -> Mutation
    {
        Mutation(
            name, checks,
            report: { $0.replaceSubrange(offset..<offset + value.count, with: value) })
    }

    static let all: [Mutation] =
        certificate("VCEK", \.endorsementKey) { try $0.replaceLeaf($1) }
        + certificate("ASK", \.intermediate) { try $0.replaceIntermediate($1) }
        + certificate("ARK", \.root) { try $0.replaceRoot($1) }
        + [
            revoked("VCEK", 3, byIntermediate: true), revoked("ASK", 2, byIntermediate: false),
            revoked("ARK", 1, byIntermediate: false),
            Mutation("VCEK of another chip", ["signature", "endorsed chip"]) {
                $0.certificates.endorsementKey = try whole().certificates.endorsementKey
            },
            Mutation("VCEK signed by a stranger", ["chain"]) {
                try $0.replaceLeaf(issuer: try TestKeys.stranger()) { _ in }
            },
            Mutation(
                "ASK in place of the VCEK",
                [
                    "signature", "chain", "product", "endorsement key", "endorsed chip",
                ]
            ) {
                $0.certificates.endorsementKey = $0.certificates.intermediate
            },
            Mutation("ASVK in place of the ASK", ["chain"]) {
                try $0.replaceIntermediate { $0.subject.commonName = "SEV-VLEK-Milan" }
                try $0.replaceLeaf { $0.issuer.commonName = "SEV-VLEK-Milan" }
            },
            Mutation("ASK and ARK swapped", ["chain", "root"]) {
                swap(&$0.certificates.intermediate, &$0.certificates.root)
            },
            Mutation("ARK of another owner", ["root"]) { $0.anchors = TrustAnchor.amd },
            Mutation("ARK of another line", ["product"]) {
                $0.anchors = $0.anchors.map {
                    TrustAnchor(name: "ARK-Turin", product: .turin, keyDigest: $0.keyDigest)
                }
            },
            Mutation("list of a stranger", ["revocation list"]) {
                let key = try TestKeys.stranger()
                $0.certificates.revocationLists = [try $0.revocationList(signedBy: key)]
            },
            Mutation("list expired", ["revocation list"]) {
                $0.certificates.revocationLists = [
                    try $0.revocationList { $0.nextUpdate = now - 1 }
                ]
            },
            Mutation("list not yet valid", ["revocation list"]) {
                $0.certificates.revocationLists = [
                    try $0.revocationList { $0.thisUpdate = now + 1 }
                ]
            },
            field("VERSION", 0x000, [4], ["report"]),
            field("VMPL", 0x030, [4], ["report"]),
            field("SIGNATURE_ALGO", 0x034, [2], ["report"]),
            field("POLICY reserved bit", 0x00b, [4], ["report"]),
            field("KEY_INFO reserved bit", 0x048, [0x20], ["report"]),
            field("SIGNING_KEY VLEK", 0x048, [0x04], ["endorsement key"]),
            field("MASK_CHIP_KEY", 0x048, [0x02], ["endorsement key"]),
            field("SIGNING_KEY none", 0x048, [0x1c], ["signature", "endorsement key"]),
            field("REPORT_DATA", 0x050, [0], ["binding"]),
            field("REPORTED_TCB below the VCEK's", 0x186, [23], ["endorsed TCB"]),
            field("REPORTED_TCB above COMMITTED_TCB", 0x1e6, [23], ["TCB order"]),
            field("COMMITTED_TCB above CURRENT_TCB", 0x03f, [218], ["TCB order"]),
            field("LAUNCH_TCB above CURRENT_TCB", 0x1f6, [25], ["TCB order"]),
            field("committed firmware above current", 0x1ee, [0xff], ["TCB order"]),
            field("CPUID_FAM_ID", 0x188, [0x1a], ["product"]),
            field("CPUID_MOD_ID", 0x189, [0x11], ["product"]),
            field("CHIP_ID", 0x1a0, [0, 0, 0, 0, 0, 0, 0, 0], ["endorsed chip"]),
            field("CHIP_ID hidden", 0x1a0, Array(repeating: 0, count: 64), ["endorsed chip"]),
            field("RESERVED (0x208)", 0x29f, [1], ["report"]),
        ]
}

@Suite("Each rule of SNP is turned by a mutation")
struct MutationTests {
    @Test("what nothing is wrong with is authentic, with every check made")
    func whole() throws {
        let evidence = try Mutation.whole()
        let result = try evidence.verify(try evidence.report())
        #expect(result.faults == [])
        #expect(result.claims?.snp != nil)
    }

    @Test("one thing that is wrong refuses, by the check for it", arguments: Mutation.all)
    func turns(mutation: Mutation) throws {
        let result = try mutation.result()
        #expect(result.claims == nil)
        #expect(result.refused == mutation.checks)
    }

    @Test("every check is the only one to refuse some mutation")
    func noRuleIsIdle() {
        let alone = Set(Mutation.all.filter { $0.checks.count == 1 }.flatMap(\.checks))
        // A wrong signature is its own test: it needs no signed change.
        let rules = SNPCheck.allCases.map(\.rawValue).filter { $0 != "signature" }
        #expect(rules.filter { !alone.contains($0) } == [], "rules that no mutation turned")
    }

    @Test("a signature over other bytes refuses alone, for each byte that is signed")
    func signature() throws {
        let evidence = try Mutation.whole()
        let verifier = SNPVerifier(anchors: evidence.anchors)
        let report = try evidence.report()
        for offset in 0..<SNPReport.signedByteCount {
            var changed = report
            changed[offset] ^= 1
            let result = evidence.verify(changed, by: verifier)
            #expect(result.claims == nil)
            #expect(
                result.refused.contains("signature") || result.refused == ["report"],
                "byte \(offset)")
        }
        for offset in [0x090, 0x0c0, 0x140, 0x1f8, 0x200] {
            var changed = report
            changed[offset] ^= 1
            #expect(evidence.verify(changed, by: verifier).refused == ["signature"])
        }
    }

    @Test("claims carry what a policy can ask for")
    func claims() throws {
        let evidence = try Mutation.whole()
        let claims = try #require(
            try evidence.verify(
                try evidence.report {
                    $0[0x1f8] = 0x3f
                    $0[0x200] = 0x7f
                    $0[0x040] = 0xa5
                }
            ).claims?.snp)
        #expect(claims.launchMitigations == 0x3f && claims.currentMitigations == 0x7f)
        #expect(claims.platformInfo.hasSMT && !claims.platformInfo.hasTSME)
        #expect(claims.platformInfo.hasAliasCheck && claims.platformInfo.hasTrustedIO)
        #expect(!claims.platformInfo.hasCiphertextHiding && claims.platformInfo.hasECC)
        #expect(claims.providerID == nil && claims.chipID == evidence.platform.chipID)
        let lent = try GenuineEvidence(.milan, .vlek)
        let other = try #require(try lent.verify(try lent.report()).claims?.snp)
        #expect(other.providerID == Platform.provider && other.chipID == nil)
        #expect(other.launchMitigations == nil)
    }

    @Test("a chip that its host hides is taken by its VCEK, where the caller allows it")
    func maskedChip() throws {
        let evidence = try Mutation.whole()
        let report = try evidence.report {
            $0.replaceSubrange(0x1a0..<0x1e0, with: repeatElement(0, count: 64))
        }
        let result = SNPVerifier(anchors: evidence.anchors).verify(
            reportBytes: report, certificates: evidence.certificates,
            expected: FixedBytes(evidence.reportData), maskedChipIsAllowed: true,
            at: TestKeys.now)
        #expect(result.claims?.snp?.chipID == evidence.platform.chipID)
        #expect(result.findings.first { $0.check == "endorsed chip" }?.outcome == .notChecked)
        let refused = try evidence.verify(report)
        let finding = refused.findings.first { $0.check == "endorsed chip" }
        #expect(finding?.actual == "hidden by the host (MASK_CHIP_ID)")
    }

    @Test(
        "a binding that nobody asked for is not checked, and gives claims only where that will do")
    func binding() throws {
        let evidence = try Mutation.whole()
        let verifier = SNPVerifier(anchors: evidence.anchors)
        let report = try evidence.report()
        let certificates = evidence.certificates
        let launch = verifier.verify(
            reportBytes: report, certificates: certificates, expected: nil, at: TestKeys.now)
        #expect(launch.claims == nil && launch.refused == [])
        #expect(launch.findings.last?.outcome == .notChecked)
        let look = verifier.verify(
            reportBytes: report, certificates: certificates, expected: nil,
            bindingIsOptional: true, at: TestKeys.now)
        #expect(look.claims != nil)
        let wrong = verifier.verify(
            reportBytes: report, certificates: certificates, expected: FixedBytes(),
            bindingIsOptional: true, at: TestKeys.now)
        #expect(wrong.claims == nil && wrong.refused == ["binding"])
    }

    @Test("certificates are judged without a report by the same rules")
    func certificatesAlone() throws {
        func result(_ change: (inout GenuineEvidence) throws -> Void = { _ in })
            throws -> SNPChainResult
        {
            var evidence = try Mutation.whole()
            try change(&evidence)
            return SNPVerifier(anchors: evidence.anchors).verify(
                certificates: evidence.certificates, at: TestKeys.now)
        }
        let genuine = try result()
        #expect(genuine.isGenuine && genuine.key == .vcek && genuine.product == .milan)
        #expect(genuine.hardwareID?.count == 64 && genuine.providerID == nil)
        func refused(_ change: (inout GenuineEvidence) throws -> Void) throws -> [String] {
            let result = try result(change)
            #expect(!result.isGenuine && result.key == nil && result.hardwareID == nil)
            return result.findings.filter { $0.outcome == .refused }.map(\.check)
        }
        #expect(
            try refused { try $0.replaceLeaf { $0.notAfter = TestKeys.now - 1 } } == [
                "certificate dates"
            ])
        #expect(try refused { $0.anchors = TrustAnchor.amd } == ["root"])
        #expect(try refused { $0.certificates.endorsementKey = nil } == ["chain"])
        #expect(
            try refused {
                try $0.replaceLeaf { $0.extensions.removeAll { $0.oid.hasSuffix(".3704.1.4") } }
            } == ["endorsement key"])
        #expect(
            try refused {
                $0.certificates.revocationLists = [try $0.revocationList(revoking: [[2]])]
            } == ["revocation"])
    }

    @Test("a report of any length but its own is refused, also one of 100 MB")
    func lengths() throws {
        let evidence = try Mutation.whole()
        let verifier = SNPVerifier(anchors: evidence.anchors)
        let report = try evidence.report()
        for count in [0, 1, 671, 672, 1183] {
            #expect(
                evidence.verify(Array(report.prefix(count)), by: verifier).refused == ["report"])
        }
        let long = report + [UInt8](repeating: 0, count: 100 << 20)
        #expect(evidence.verify(long, by: verifier).refused == ["report"])
    }
}
