import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Verification

/// An SNP machine with a paravisor and its vTPM, which tests take apart.
struct TestParavisor {
    static let binding = [UInt8](repeating: 0xb1, count: 64)

    var machine: GenuineEvidence
    var tpm: TestTPM
    /// The runtime data that goes into the report.
    var text: [UInt8]
    /// The runtime data that the processor's report is over; nil for the same.
    var vouchedText: [UInt8]?
    /// Behind the digest in REPORT_DATA.
    var tail = [UInt8](repeating: 0, count: 32)
    var changesReport: @Sendable (inout [UInt8]) -> Void = { _ in }
    var changesHCL: @Sendable (inout HCLReportBuilder) -> Void = { _ in }
    var expected: AzureExpectation

    init() throws {
        machine = try GenuineEvidence()
        tpm = try TestTPM(.rsa4096, .rsaPKCS1(.sha256))
        let binding = FixedBytes<64>(Self.binding) ?? FixedBytes()
        tpm.quote.extraData = OpenSSLHashing().sha256(binding.bytes).bytes
        text = try Self.text(modulus: tpm.publicArea, userData: Self.binding)
        expected = AzureExpectation(launchBinding: binding, selection: tpm.expected.selection)
    }

    static func text(modulus area: TPMPublic, userData: [UInt8]) -> [UInt8] {
        guard case .rsa(_, _, let modulus) = area.key else { return [] }
        let digits = Base64.encode(modulus).replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
        return HCLReportBuilder.text(modulus: digits, userData: Hex.encode(userData))
    }

    func evidence() throws -> AzureEvidence {
        var machine = machine
        let digest = OpenSSLHashing().sha256(vouchedText ?? text).bytes
        machine.reportData = digest + tail
        var report = HCLReportBuilder(
            hardware: try machine.report(changesReport), text: text)
        changesHCL(&report)
        return AzureEvidence(
            hclReport: report.bytes,
            quote: TPMQuoteVerifier.Quote(
                attestation: tpm.quote.bytes,
                signature: .structure(try tpm.sign(tpm.quote.bytes)), values: tpm.values),
            endorsement: .snp(machine.certificates))
    }

    func verify(at time: Int64 = TestKeys.now) throws -> AzureResult {
        try verify(evidence(), at: time)
    }

    func verify(_ evidence: AzureEvidence, at time: Int64 = TestKeys.now) -> AzureResult {
        AzureVerifier(snp: SNPVerifier(anchors: machine.anchors)).verify(
            evidence, expected: expected, at: time)
    }
}

extension AzureResult {
    /// The checks that did not hold.
    var refused: [String] { findings.filter { $0.outcome == .refused }.map(\.check) }

    /// The outcome of one check.
    func outcome(_ check: AzureCheck) -> String {
        findings.first { $0.check == check.rawValue }?.outcome.rawValue ?? "missing"
    }
}
