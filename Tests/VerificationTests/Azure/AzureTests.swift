import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("Azure's paravisor")
struct AzureTests {
    @Test("genuine evidence gives claims of the class paravisor-vtpm")
    func genuine() throws {
        let paravisor = try TestParavisor()
        let result = try paravisor.verify()
        #expect(result.refused.isEmpty, "\(result.findings.filter { $0.outcome == .refused })")
        let claims = try #require(result.claims)
        #expect(claims.launchClass == .paravisorVTPM)
        #expect(claims.tpm?.keyTrust == .paravisor)
        #expect(claims.tpm?.pcrs == paravisor.tpm.values)
        #expect(claims.snp?.vmpl == 0)
        #expect(result.runtimeData?.userData?.bytes == TestParavisor.binding)
        let names = result.findings.map(\.check)
        #expect(Set(names).count == names.count, "no name stands for two checks")
        #expect(!names.contains("binding"))
    }

    /// One change for each rule, and the checks that it turns, one of which is enough.
    private static let mutations:
        [(String, Set<String>, @Sendable (inout TestParavisor) throws -> Void)] = [
            ("magic", ["HCL report"], { $0.changesHCL = { $0.signature = [1, 2, 3, 4] } }),
            ("hash type", ["HCL binding"], { $0.changesHCL = { $0.hashType = 2 } }),
            (
                "runtime data", ["HCL binding"],
                { paravisor in
                    paravisor.vouchedText = paravisor.text
                    paravisor.text[paravisor.text.count - 3] ^= 1
                }
            ),
            (
                "another vTPM's key in the runtime data", ["HCL binding"],
                { paravisor in
                    paravisor.vouchedText = HCLReportBuilder.text(
                        modulus: "gAAB", userData: Hex.encode(TestParavisor.binding))
                }
            ),
            ("second half of REPORT_DATA", ["HCL binding"], { $0.tail[31] = 1 }),
            ("first byte of the second half", ["HCL binding"], { $0.tail[0] = 1 }),
            (
                "report of the guest itself", ["paravisor level"],
                { $0.changesReport = { $0[0x30] = 2 } }
            ),
            (
                "user data of another session", ["HCL user data"],
                { paravisor in
                    paravisor.text = try TestParavisor.text(
                        modulus: paravisor.tpm.publicArea,
                        userData: Array(repeating: 0xb2, count: 64))
                }
            ),
            (
                "runtime data of another report", ["report"],
                { $0.changesHCL = { $0.reportType = 4 } }
            ),
            ("nonce", ["TPM nonce"], { $0.tpm.quote.extraData[0] ^= 1 }),
            ("registers", ["PCR selection"], { $0.tpm.quote.selections[0].bitmap[2] = 1 }),
            ("register", ["PCR digest"], { $0.tpm.quote.pcrDigest[0] ^= 1 }),
            (
                "quote of a key that the runtime data does not name", ["TPM signature"],
                { paravisor in
                    let extra = paravisor.tpm.quote.extraData
                    paravisor.tpm = try TestTPM()
                    paravisor.tpm.quote.extraData = extra
                }
            ),
            (
                "no pinned root", ["root", "TPM key trust"],
                { $0.machine.anchors = [] }
            ),
            (
                "no certificates", ["chain", "TPM key trust"],
                { $0.machine.certificates = SNPCertificates() }
            ),
        ]

    @Test("each rule turns with its field, and no claims are left", arguments: mutations.indices)
    func mutated(index: Int) throws {
        let (name, checks, change) = Self.mutations[index]
        var paravisor = try TestParavisor()
        try change(&paravisor)
        let result = try paravisor.verify()
        if name == "runtime data of another report" {
            #expect(!result.refused.isEmpty)
        } else {
            #expect(checks.isSubset(of: result.refused), "\(name): \(result.refused)")
        }
        #expect(result.claims == nil, "\(name)")
    }

    @Test("no rule of Azure's is left that nothing turns")
    func everyRuleTurns() {
        // The TD report is turned where there is a quote.
        let turned = Self.mutations.reduce(into: Set(["TD report"])) { $0.formUnion($1.1) }
        #expect(Set(AzureCheck.allCases.map(\.rawValue)).subtracting(turned).isEmpty)
    }

    @Test("every byte of the report that is checked turns the verdict")
    func everyByte() throws {
        let paravisor = try TestParavisor()
        var evidence = try paravisor.evidence()
        let bytes = evidence.hclReport
        for offset in stride(from: 0, to: bytes.count, by: 7) {
            var changed = bytes
            changed[offset] ^= 0x10
            evidence.hclReport = changed
            // The version of the header is the one field that two values are right for.
            #expect(paravisor.verify(evidence).claims == nil, "offset \(offset)")
        }
        evidence.hclReport = bytes + [1]
        #expect(paravisor.verify(evidence).refused == ["HCL report"])
        evidence.hclReport = []
        let empty = paravisor.verify(evidence)
        #expect(empty.refused == ["HCL report"] && empty.claims == nil)
        #expect(empty.findings.count == AzureCheck.allCases.count + TPMCheck.allCases.count)
    }

    @Test(
        "user data that nobody asked for is not checked, a nonce that nobody asked for leaves no claims"
    )
    func notAsked() throws {
        var paravisor = try TestParavisor()
        paravisor.expected.userData = nil
        #expect(try paravisor.verify().outcome(.userData) == "not checked")
        #expect(try paravisor.verify().claims != nil)
        paravisor.expected.quote.nonce = nil
        #expect(try paravisor.verify().claims == nil)
    }
}
