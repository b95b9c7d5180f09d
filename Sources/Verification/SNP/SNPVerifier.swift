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
    ///   - expected: what REPORT_DATA has to be; nil leaves `binding` unchecked.
    ///   - bindingIsOptional: whether there are claims also where nothing was expected. A launch needs
    ///     its binding; a tool that looks at old evidence has none.
    ///   - maskedChipIsAllowed: whether a VCEK may sign for a chip whose CHIP_ID the host hides; the
    ///     VCEK then says which chip it is.
    ///   - time: the verifier's own clock, Unix seconds.
    public func verify(
        reportBytes: [UInt8], certificates: SNPCertificates, expected: FixedBytes<64>?,
        bindingIsOptional: Bool = false, maskedChipIsAllowed: Bool = false, at time: Int64
    ) -> VerificationResult {
        let chain = store.chain(certificates)
        let dates = ValidityCheck(chain: chain, time: time).finding
        let revocation = RevocationCheck(
            certificates.revocationLists, of: chain, in: store, at: time)
        do throws(ParseError) {
            let report = try SNPReport(parsing: reportBytes)
            let checks = ReportChecks(
                report: report, chain: chain, maskedChipIsAllowed: maskedChipIsAllowed)
            let findings = [
                SNPCheck.report.finding(
                    true, expected: Self.expectedReport, actual: "version \(report.version)"),
                checks.signature, chain.chainFinding, chain.rootFinding, dates,
                revocation.listFinding, revocation.finding, checks.product,
                checks.endorsementKey, checks.endorsedChip, checks.endorsedTCB, checks.tcbOrder,
                checks.binding(to: expected),
            ]
            let mayBeUnchecked = { (check: SNPCheck) in
                switch check {
                case .revocationList, .revocation: true
                case .endorsedChip: checks.chipMayBeUnchecked
                case .binding: bindingIsOptional
                default: false
                }
            }
            var claims: Claims?
            if let product = chain.anchor?.product, Self.isAuthentic(findings, mayBeUnchecked) {
                claims = Claims(
                    hardware: .snp(
                        SNPClaims(
                            authenticated: report, product: product,
                            endorsedChip: chain.leaf?.chip, providerID: chain.leaf?.providerID,
                            revocationList: revocation.dates)))
            }
            return VerificationResult(findings: findings, claims: claims, report: report)
        } catch {
            let known = [
                chain.chainFinding, chain.rootFinding, dates, revocation.listFinding,
                revocation.finding,
            ]
            return VerificationResult(
                findings: Self.unreadable(error, known), claims: nil, report: nil)
        }
    }

    /// Checks certificates alone: what can be said of a VCEK or VLEK before it signed anything.
    public func verify(certificates: SNPCertificates, at time: Int64) -> SNPChainResult {
        let chain = store.chain(certificates)
        let dates = ValidityCheck(chain: chain, time: time).finding
        let revocation = RevocationCheck(
            certificates.revocationLists, of: chain, in: store, at: time)
        return SNPChainResult(
            findings: [
                chain.chainFinding, chain.rootFinding, dates, revocation.listFinding,
                revocation.finding, CertificateChecks(chain: chain).product,
                CertificateChecks(chain: chain).kind,
            ], chain: chain)
    }

    private static let expectedReport = "an ATTESTATION_REPORT of version 2, 3 or 5"

    /// Whether each check was made, once, and held; `mayBeUnchecked` names those that need not be made.
    private static func isAuthentic(
        _ findings: [Finding], _ mayBeUnchecked: (SNPCheck) -> Bool
    ) -> Bool {
        guard findings.count == SNPCheck.allCases.count else { return false }
        return zip(SNPCheck.allCases, findings).allSatisfy { check, finding in
            finding.check == check.rawValue
                && (finding.outcome == .ok
                    || finding.outcome == .notChecked && mayBeUnchecked(check))
        }
    }

    /// All findings when there is no report to look at; `known` are those of the certificates.
    private static func unreadable(_ error: ParseError, _ known: [Finding]) -> [Finding] {
        SNPCheck.allCases.map { check in
            if let finding = known.first(where: { $0.check == check.rawValue }) { return finding }
            guard check != .report else {
                return check.finding(false, expected: expectedReport, actual: "\(error)")
            }
            return check.notChecked(expected: "a report", because: "the report is unreadable")
        }
    }
}
