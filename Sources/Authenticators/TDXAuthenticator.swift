public import Bytes
public import Endorsements
import Evidence
import Policy
public import Protocol
public import Verification

/// Authenticates TDX quotes, with Intel's documents from the owner's directory.
public struct TDXAuthenticator: EvidenceAuthenticator {
    private let verifier: TDXVerifier
    private let cache: EndorsementCache?

    /// Takes a verifier, and where Intel's documents are.
    public init(verifier: TDXVerifier, cache: EndorsementCache?) {
        self.verifier = verifier
        self.cache = cache
    }

    /// TDX only.
    public var kinds: Set<EvidenceKind> { [.tdx] }

    /// Checks quote, chain, collateral and binding, and what came of a TPM and of a log.
    public func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        let tpm = try TPMParts(evidence)
        let quote = evidence.data(.report) ?? []
        let endorsed = endorsed(quote, at: time)
        let result = verifier.verify(
            quoteBytes: quote, collateral: endorsed.collateral, expected: binding, at: time)
        let quoted = tpm.map {
            $0.verify(isVouchedFor: result.claims != nil, binding: binding, at: time)
        }
        let log = BootLog(evidence, tdx: result.claims, tpm: quoted?.claims)
        let findings =
            endorsed.findings + result.findings + (tpm.map { [$0.nameFinding] } ?? [])
            + (quoted?.findings ?? []) + log.findings
        return Authentication(
            findings: findings,
            claims: Claims(tdx: result, tpm: quoted, log: log.result), platform: "TDX",
            measurement: result.quote?.body.mrTD,
            missing: Remedy.isHopeless(findings) ? [] : endorsed.wanted)
    }

    /// A quote with what was found for its platform.
    struct Endorsed {
        var collateral: TDXCollateral?
        var findings: [Finding] = []
        var wanted: [EndorsementObject] = []
    }

    /// What the directory has for the platform of a quote; nothing where no platform is named that Intel
    /// has certified.
    func endorsed(_ quote: [UInt8], at time: Int64) -> Endorsed {
        guard let cache, let platform = verifier.platform(of: quote),
            let authority = EndorsementObject.PCKAuthority(
                issuerCommonName: platform.issuerCommonName)
        else { return Endorsed() }
        let supply = cache.tdxCollateral(fmspc: platform.fmspc, authority: authority, at: time)
        guard supply.collateral == nil else {
            return Endorsed(collateral: supply.collateral, wanted: supply.wanted)
        }
        let findings = supply.wanted.map { object in
            Finding(
                check: Authentication.endorsementsCheck, outcome: .refused,
                expected: "\(object.title), in the endorsements directory", actual: "missing")
        }
        return Endorsed(findings: findings, wanted: supply.wanted)
    }
}
