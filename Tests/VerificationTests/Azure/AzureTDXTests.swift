import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("Azure's paravisor on TDX")
struct AzureTDXTests {
    /// A trust domain with a paravisor and its vTPM, which tests take apart.
    private struct Domain {
        var pcs: TestPCS
        var tpm: TestTPM
        var text: [UInt8]
        /// Changes the body that the stored TDREPORT is made of, not the quote's.
        var changeStored: (inout [UInt8]) -> Void = { _ in }
        /// Changes the stored TDREPORT once it is whole.
        var changeReport: (inout [UInt8]) -> Void = { _ in }
        var hasCollateral = true

        init() throws {
            pcs = try TestPCS()
            tpm = try TestTPM(.rsa4096, .rsaPKCS1(.sha256))
            text = try TestParavisor.text(
                modulus: tpm.publicArea, userData: TestParavisor.binding)
            tpm.quote.extraData = OpenSSLHashing().sha256(TestParavisor.binding).bytes
            bind()
        }

        /// Lets the quote's REPORTDATA be the digest of the runtime data, then zeros.
        mutating func bind() {
            let digest = OpenSSLHashing().sha256(text).bytes
            pcs.quote.set(.reportData, digest + [UInt8](repeating: 0, count: 32))
        }

        /// TDREPORT_STRUCT with the same fields as a quote's body of TDX 1.0.
        static func report(_ body: [UInt8]) -> [UInt8] {
            let zeros = { [UInt8](repeating: 0, count: $0) }
            let tcb = zeros(8) + Array(body[..<0x78]) + zeros(16 + 95)
            let info = Array(body[0x78..<0x208]) + zeros(48 + 64)
            let hashing = OpenSSLHashing()
            var report: [UInt8] = [0x81, 0, 0, 0] + zeros(12 + 16)
            report += hashing.sha384(tcb).bytes + hashing.sha384(info).bytes
            report += Array(body[0x208..<0x248]) + zeros(32 + 32)
            return report + tcb + zeros(17) + info
        }

        func verify() throws -> AzureResult {
            var body = pcs.quote.body
            changeStored(&body)
            var report = Self.report(body)
            changeReport(&report)
            let evidence = AzureEvidence(
                hclReport: HCLReportBuilder(hardware: report, reportType: 4, text: text).bytes,
                quote: TPMQuoteVerifier.Quote(
                    attestation: tpm.quote.bytes,
                    signature: .structure(try tpm.sign(tpm.quote.bytes)), values: tpm.values),
                endorsement: .tdx(
                    quote: try pcs.quoteBytes,
                    collateral: hasCollateral ? try pcs.collateral : nil))
            let binding = FixedBytes<64>(TestParavisor.binding) ?? FixedBytes()
            return AzureVerifier(
                snp: SNPVerifier(anchors: []), tdx: TDXVerifier(anchors: pcs.anchors)
            ).verify(
                evidence,
                expected: AzureExpectation(
                    launchBinding: binding, selection: tpm.expected.selection),
                at: TestPCS.now)
        }
    }

    @Test("genuine evidence gives claims, also without collateral, which the claims then lack")
    func genuine() throws {
        var domain = try Domain()
        let result = try domain.verify()
        #expect(result.refused.isEmpty, "\(result.findings.filter { $0.outcome == .refused })")
        #expect(result.claims?.launchClass == .paravisorVTPM)
        #expect(result.claims?.tdx?.tcbStatus != nil)
        #expect(result.outcome(.tdReport) == "ok" && result.outcome(.level) == "not checked")
        domain.hasCollateral = false
        let bare = try domain.verify().claims
        #expect(bare?.tdx != nil && bare?.tdx?.tcbStatus == nil)
    }

    @Test(
        "each field that quote and stored report share turns the TD report",
        arguments: [
            0x00, 0x10, 0x40, 0x70, 0x80, 0x88, 0xb8, 0xe8, 0x118, 0x148, 0x178, 0x1a8, 0x1d8,
        ])
    func storedFields(offset: Int) throws {
        var domain = try Domain()
        domain.changeStored = { $0[offset] ^= 1 }
        let result = try domain.verify()
        #expect(result.refused == ["TD report", "TPM key trust"])
        #expect(result.claims == nil)
    }

    @Test("a stored report that is not whole is none")
    func storedBytes() throws {
        var domain = try Domain()
        // Type, reserved, both digests, reserved behind the report data.
        for offset in [0, 4, 0x20, 0x50, 0xc0, 0x1ef] {
            domain.changeReport = { $0[offset] ^= 1 }
            let result = try domain.verify()
            #expect(result.refused.contains("TD report"), "offset \(offset)")
            #expect(result.claims == nil)
        }
    }

    @Test("runtime data that neither report is over is refused, also when only the stored one is")
    func binding() throws {
        var domain = try Domain()
        domain.text[domain.text.count - 3] ^= 1
        #expect(try domain.verify().refused.first == "HCL binding")
        let digest = OpenSSLHashing().sha256(domain.text).bytes
        domain.changeStored = { $0.replaceSubrange(0x208..<0x228, with: digest) }
        let result = try domain.verify()
        #expect(result.refused == ["TD report", "HCL user data", "TPM key trust"])
        #expect(result.claims == nil)
    }

    @Test("a quote of no pinned root vouches for no key")
    func roots() throws {
        var domain = try Domain()
        domain.pcs.anchors = []
        let result = try domain.verify()
        #expect(result.refused.contains("TPM key trust") && result.claims == nil)
    }
}
