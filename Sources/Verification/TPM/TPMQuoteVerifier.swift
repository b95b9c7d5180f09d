import Bytes
public import Evidence
import OpenSSL
@_spi(Verified) import Policy

/// Says whether a quote is a TPM's answer to this session, by whose word its key is believed, and
/// nothing of whether the values are wanted.
///
/// TCG TPM 2.0 Library, Part 3, TPM2_Quote. A TPM of the host's can say what the host likes: see
/// `docs/evidence-tpm.md` for what each kind of key trust is worth.
public struct TPMQuoteVerifier: Sendable {
    /// What a quote has to be over.
    public struct Expectation: Sendable {
        /// extraData, whole; nil where nobody asked for one.
        public var nonce: [UInt8]?
        /// Whether claims are made although nobody asked for a nonce: for appraising stored evidence,
        /// never for a launch.
        public var nonceIsOptional = false
        /// The registers, neither fewer nor more; nil where any will do.
        public var selection: PCRSelection?
        /// Whether a signature over SHA-1, or a key named by it, may count: no TPM 2.0 needs that.
        public var allowsSHA1Signature = false

        /// Expects `nonce` and `selection`.
        public init(nonce: [UInt8]?, selection: PCRSelection? = nil, nonceIsOptional: Bool = false)
        {
            self.nonce = nonce
            self.selection = selection
            self.nonceIsOptional = nonceIsOptional
        }
    }

    /// A quote as it came.
    public struct Quote: Sendable {
        /// TPMS_ATTEST.
        public var attestation: [UInt8]
        /// TPMT_SIGNATURE, or the bare number of RSASSA with SHA-256.
        public var signature: Signature
        /// The values of the quoted registers; nil where none were given.
        public var values: PCRValues?

        /// The two forms in which signatures travel.
        public enum Signature: Sendable {
            /// TPMT_SIGNATURE.
            case structure([UInt8])
            /// RSASSA with SHA-256 without its structure.
            case bareRSASSASHA256([UInt8])
        }

        /// Takes everything as it came.
        public init(attestation: [UInt8], signature: Signature, values: PCRValues?) {
            self.attestation = attestation
            self.signature = signature
            self.values = values
        }
    }

    private let anchors: [TrustAnchor]

    /// Believes certificates under the roots of `anchors` and no others.
    public init(anchors: [TrustAnchor]) {
        self.anchors = anchors
    }

    /// Makes every check, also after one that did not hold.
    ///
    /// - Parameters:
    ///   - quote: believed for its signature only.
    ///   - key: what the quote is said to be signed with.
    ///   - trust: what vouches for that key; if it is given and does not hold, there are no claims.
    ///   - time: the verifier's own clock, Unix seconds; for certificates.
    public func verify(
        _ quote: Quote, key: AttestationKey, trust: KeyTrustEvidence, expected: Expectation,
        at time: Int64
    ) -> TPMResult {
        let checks = KeyTrustChecks(key: key, evidence: trust, anchors: anchors, time: time)
        return Self.verify(
            quote, key: key, trust: checks.trust, trustFindings: checks.findings, expected: expected
        )
    }

    /// The same for a key whose trust was judged elsewhere.
    static func verify(
        _ quote: Quote, key: AttestationKey, trust: AttestationKeyTrust, trustFindings: [Finding],
        expected: Expectation
    ) -> TPMResult {
        do throws(ParseError) {
            let attestation = try TPMAttestation(parsing: quote.attestation)
            let signature =
                switch quote.signature {
                case .structure(let bytes): try TPMSignature(parsing: bytes)
                case .bareRSASSASHA256(let bytes): try TPMSignature(bareRSASSASHA256: bytes)
                }
            let checks = QuoteChecks(attestation: attestation, signature: signature, key: key)
            let findings =
                [
                    TPMCheck.quote.finding(
                        true, expected: readable, actual: "a quote, \(signature.schemeName)"),
                    checks.signatureFinding, checks.keyFinding, checks.nonce(expected.nonce),
                    checks.selection(expected.selection), checks.digest(quote.values),
                    checks.algorithms(allowed: expected.allowsSHA1Signature),
                ] + trustFindings
            let isAuthentic = isAuthentic(findings, nonceIsOptional: expected.nonceIsOptional)
            // Claims keep of the values what the quote covers; without values they keep none.
            let claims = TPMClaims(
                authenticated: attestation, pcrs: quote.values ?? PCRValues(), keyTrust: trust)
            return TPMResult(
                findings: findings, claims: isAuthentic ? claims : nil, quote: attestation,
                weakAlgorithms: checks.weakAlgorithms)
        } catch {
            return TPMResult(
                findings: unreadable("\(error)", trustFindings), claims: nil, quote: nil,
                weakAlgorithms: [])
        }
    }

    /// Whether each check was made, once, and held; the exceptions are named here and nowhere else.
    private static func isAuthentic(_ findings: [Finding], nonceIsOptional: Bool) -> Bool {
        findings.count == TPMCheck.allCases.count
            && TPMCheck.allCases.allSatisfy { check in
                guard let finding = findings.first(where: { $0.check == check.rawValue }) else {
                    return false
                }
                let isOptional =
                    switch check {
                    case .quote, .signature: false
                    case .nonce: nonceIsOptional
                    // Claims say what was not known: no public area, no values, SHA-1, no trust.
                    case .key, .selection, .digest, .algorithms, .keyChain, .keyRoot, .keyDates,
                        .keyRevocation, .keyTrust:
                        true
                    }
                return finding.outcome == .ok || finding.outcome == .notChecked && isOptional
            }
    }

    private static let readable = "TPMS_ATTEST of a quote, and TPMT_SIGNATURE"

    /// All findings when there is no quote to look at.
    static func unreadable(_ error: String, _ trustFindings: [Finding]) -> [Finding] {
        let own: [TPMCheck] = [
            .signature, .key, .nonce, .selection, .digest, .algorithms,
        ]
        return [TPMCheck.quote.finding(false, expected: readable, actual: error)]
            + own.map { $0.notChecked(expected: "a quote", because: "the quote is unreadable") }
            + trustFindings
    }
}
