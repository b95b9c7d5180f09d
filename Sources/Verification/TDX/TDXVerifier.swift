public import Bytes
public import Evidence
import OpenSSL
@_spi(Verified) import Policy

/// Says whether a quote is a genuine platform's answer to this session and how Intel rates that
/// platform, and nothing of whether that is wanted: measurements, debugging and statuses are a policy's
/// matter.
///
/// One verifier serves a whole process from any thread. It remembers chains and collateral that it found
/// good, so a launch on a known platform costs two P-256 verifications.
public struct TDXVerifier: Sendable {
    private let store: IntelStore

    /// Believes the roots for TDX among `anchors` and no others; with none, everything is refused.
    public init(anchors: [TrustAnchor]) {
        store = IntelStore(anchors: anchors.filter { $0.family == .tdx })
    }

    /// A platform that Intel has certified, as the chain in a quote names it.
    public struct Platform: Sendable, Hashable {
        /// The family, by which Intel's TCB info is found.
        public let fmspc: FixedBytes<6>
        /// CN of the CA that certified the platform's key, by which its revocation list is found.
        public let issuerCommonName: String
    }

    /// Which platform a quote's chain is of, to find Intel's documents before the quote is verified; nil
    /// unless the chain ends in a pinned root. Whether the quote is genuine is not looked at.
    public func platform(of quoteBytes: [UInt8]) -> Platform? {
        guard let quote = try? TDXQuote(parsing: quoteBytes) else { return nil }
        let chain = store.chain(quote.pckChain)
        guard chain.isSound, let platform = chain.platform, let leaf = chain.leaf else {
            return nil
        }
        return Platform(fmspc: platform.fmspc, issuerCommonName: leaf.issuerCommonName)
    }

    /// Makes every check, also after one that did not hold.
    ///
    /// - Parameters:
    ///   - quoteBytes: a quote as it came; the signature is checked over these bytes.
    ///   - trailer: what may follow the quote.
    ///   - collateral: from whatever source, believed for its signatures only; nil leaves the checks of
    ///     ``TDXCheck/ofCollateral`` unmade, and the claims without a status.
    ///   - expected: what REPORTDATA has to be; nil leaves `binding` unchecked.
    ///   - bindingIsOptional: whether there are claims also where nothing was expected. A launch needs
    ///     its binding; a tool that looks at old evidence has none.
    ///   - time: the verifier's own clock, Unix seconds.
    public func verify(
        quoteBytes: [UInt8], trailer: TDXQuote.Trailer = .zeroBytes, collateral: TDXCollateral?,
        expected: FixedBytes<64>?, bindingIsOptional: Bool = false, at time: Int64
    ) -> TDXResult {
        do throws(ParseError) {
            return result(
                try TDXQuote(parsing: quoteBytes, trailer: trailer), collateral, expected,
                bindingIsOptional, time)
        } catch {
            return TDXResult(
                findings: Self.unreadable(error, TDXQuote.claimedTEE(quoteBytes)), claims: nil,
                quote: nil, rating: nil)
        }
    }

    private func result(
        _ quote: TDXQuote, _ collateral: TDXCollateral?, _ expected: FixedBytes<64>?,
        _ bindingIsOptional: Bool, _ time: Int64
    ) -> TDXResult {
        let chain = store.chain(quote.pckChain)
        let judged = collateral.map(store.judge)
        let key = Result { () throws(CryptoError) in
            try store.attestationKey(quote.attestationKey)
        }
        let checks = TDXQuoteChecks(quote: quote, chain: chain, key: key)
        var findings = [
            TDXCheck.teeType.finding(true, expected: Self.expectedTEE, actual: "TDX"),
            TDXCheck.quote.finding(
                true, expected: Self.expectedQuote,
                actual: "version \(quote.header.version), "
                    + "TDX \(quote.body.teeTCBSVN2 == nil ? "1.0" : "1.5") body"),
            checks.signature, checks.attestationKey, checks.qeReport, chain.chainFinding,
            chain.rootFinding, Self.certificateDates(chain, judged, time), checks.moduleSigner,
            checks.binding(to: expected),
        ]
        var rating: TDXRating?
        if let judged {
            let checks = CollateralChecks(
                quote: quote, chain: chain, collateral: judged, time: time)
            let made = checks.findings()
            findings += made.findings
            rating = made.rating
        } else {
            findings += TDXCheck.allCases.filter(TDXCheck.ofCollateral.contains).map {
                $0.notChecked(expected: "Intel's word", because: "no collateral was given")
            }
        }
        var optional = judged == nil ? TDXCheck.ofCollateral : []
        if bindingIsOptional { optional.insert(.binding) }
        var claims: TDXClaims?
        if let platform = chain.platform, Self.isAuthentic(findings, optional: optional) {
            if case .success(let key) = key { store.remember(key, at: quote.attestationKey) }
            claims = TDXClaims(
                authenticated: quote.body, fmspc: platform.fmspc, tcbStatus: rating?.status,
                advisories: rating?.advisories ?? [], collateral: judged?.oldest,
                header: quote.header)
        }
        return TDXResult(findings: findings, claims: claims, quote: quote, rating: rating)
    }

    /// Whether each check was made, once, and held; the exceptions are the caller's.
    private static func isAuthentic(_ findings: [Finding], optional: Set<TDXCheck>) -> Bool {
        findings.count == TDXCheck.allCases.count
            && zip(TDXCheck.allCases, findings).allSatisfy { check, finding in
                finding.check == check.rawValue
                    && (finding.outcome == .ok
                        || finding.outcome == .notChecked && optional.contains(check))
            }
    }

    private static let expectedTEE = "a quote of a trust domain (TEE type 0x81)"
    private static let expectedQuote = "a TDX quote of version 4 or 5"

    private static func certificateDates(
        _ chain: PCKChain, _ collateral: JudgedCollateral?, _ time: Int64
    ) -> Finding {
        let certificates = chain.certificates + (collateral?.certificates ?? [])
        return TDXDates.finding(
            .certificateDates,
            certificates.map { ($0.subjectCommonName, $0.notBefore, $0.notAfter) }, at: time)
    }

    /// All findings when there is no quote to look at.
    private static func unreadable(_ error: ParseError, _ tee: TDXQuote.TEE?) -> [Finding] {
        TDXCheck.allCases.map { check in
            switch (check, tee) {
            case (.teeType, .sgx?):
                check.finding(false, expected: expectedTEE, actual: "\(error)")
            case (.teeType, .tdx?):
                check.finding(true, expected: expectedTEE, actual: "TDX")
            case (.quote, .sgx?):
                check.notChecked(expected: expectedQuote, because: "it is a quote of SGX")
            case (.quote, _):
                check.finding(false, expected: expectedQuote, actual: "\(error)")
            default: check.notChecked(expected: "a quote", because: "the quote is unreadable")
            }
        }
    }
}

extension JudgedCollateral {
    /// The oldest issue and the next date on which something of it is due; nil unless all was read.
    var oldest: EndorsementDates? {
        guard let tcbInfo, let qeIdentity, let pckCRL, let rootCRL else { return nil }
        let lists = [pckCRL, rootCRL].map {
            EndorsementDates(issued: $0.thisUpdate, nextUpdate: $0.nextUpdate)
        }
        return lists.reduce(
            EndorsementDates(issued: tcbInfo.issueDate, nextUpdate: tcbInfo.nextUpdate)
                .earliest(
                    with: EndorsementDates(
                        issued: qeIdentity.issueDate, nextUpdate: qeIdentity.nextUpdate))
        ) { $0.earliest(with: $1) }
    }
}
