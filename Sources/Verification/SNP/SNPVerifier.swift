public import Bytes
public import Evidence
import OpenSSL
@_spi(Verified) import Policy

/// Says whether a report is a genuine processor's answer to this session, and nothing of whether that
/// is wanted: measurements, debugging, minimum versions are a policy's matter.
///
/// One verifier serves a whole process from any thread. It remembers chains that it found good, so a
/// launch on a known chip costs one P-384 verification.
public struct SNPVerifier: Sendable {
    private let store: ChainStore

    /// Believes AMD's roots among `anchors` and no others; with none, everything is refused.
    public init(anchors: [TrustAnchor]) {
        store = ChainStore(anchors: anchors.filter { $0.product != nil })
    }

    /// Makes every check, also after one that did not hold.
    ///
    /// - Parameters:
    ///   - reportBytes: an ATTESTATION_REPORT as it came; the signature is checked over these bytes.
    ///   - certificates: from whatever source; they are believed for their signatures only.
    ///   - expected: what REPORT_DATA has to be.
    ///   - time: the verifier's own clock, Unix seconds.
    public func verify(
        reportBytes: [UInt8], certificates: SNPCertificates, expected: FixedBytes<64>,
        at time: Int64
    ) -> VerificationResult {
        let chain = store.chain(certificates)
        let dates = ValidityCheck(chain: chain, time: time).finding
        do throws(ParseError) {
            let report = try SNPReport(parsing: reportBytes)
            let checks = ReportChecks(report: report, chain: chain)
            return result(
                [
                    SNPCheck.report.finding(
                        true, expected: "an ATTESTATION_REPORT of version 2, 3 or 5",
                        actual: "version \(report.version)"),
                    checks.signature, chain.chainFinding, chain.rootFinding, dates,
                    Self.revocation, checks.product, checks.endorsementKey, checks.endorsedChip,
                    checks.endorsedTCB, checks.tcbOrder, checks.binding(to: expected),
                ], report, chain)
        } catch {
            return VerificationResult(
                findings: Self.unreadable(error, chain, dates), claims: nil, report: nil)
        }
    }

    private func result(
        _ findings: [Finding], _ report: SNPReport, _ chain: EndorsementChain
    ) -> VerificationResult {
        var claims: Claims?
        if let product = chain.anchor?.product, Self.isAuthentic(findings, report.signingKey) {
            claims = Claims(hardware: .snp(SNPClaims(authenticated: report, product: product)))
        }
        return VerificationResult(findings: findings, claims: claims, report: report)
    }

    /// Whether each check was made, once, and held; the exceptions are named here and nowhere else.
    private static func isAuthentic(_ findings: [Finding], _ key: SNPSigningKey) -> Bool {
        findings.count == SNPCheck.allCases.count
            && SNPCheck.allCases.allSatisfy { check in
                guard let finding = findings.first(where: { $0.check == check.rawValue }) else {
                    return false
                }
                let isOptional =
                    switch check {
                    case .revocation: true
                    case .endorsedChip: key == .vlek
                    default: false
                    }
                return finding.outcome == .ok || finding.outcome == .notChecked && isOptional
            }
    }

    private static let revocation = SNPCheck.revocation.notChecked(
        expected: "no certificate is on its issuer's revocation list",
        because: "this release reads no revocation lists")

    /// All findings when there is no report to look at.
    private static func unreadable(
        _ error: ParseError, _ chain: EndorsementChain, _ dates: Finding
    ) -> [Finding] {
        SNPCheck.allCases.map { check in
            switch check {
            case .report:
                check.finding(
                    false, expected: "an ATTESTATION_REPORT of version 2, 3 or 5",
                    actual: "\(error)")
            case .chain: chain.chainFinding
            case .root: chain.rootFinding
            case .certificateDates: dates
            case .revocation: revocation
            default: check.notChecked(expected: "a report", because: "the report is unreadable")
            }
        }
    }
}
