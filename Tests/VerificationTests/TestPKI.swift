import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

@testable import SimulatedPSP

/// RSA keys for all chains of one run: making them takes seconds, so they are made once.
enum TestKeys {
    static let now: Int64 = 1_800_000_000

    private static let pem: [SecretBytesBox] = (0..<3).map { _ in SecretBytesBox() }

    private final class SecretBytesBox: Sendable {
        let pem: SecretBytes

        init() {
            do {
                pem = try SigningKey.generate(.rsa4096).pem()
            } catch {
                fatalError("no RSA key: \(error)")
            }
        }
    }

    static func root() throws -> SigningKey { try SigningKey(pem: pem[0].pem) }
    static func intermediate() throws -> SigningKey { try SigningKey(pem: pem[1].pem) }
    /// Of a root that nobody pins.
    static func stranger() throws -> SigningKey { try SigningKey(pem: pem[2].pem) }
}

/// A simulated processor's whole evidence, which tests take apart.
struct GenuineEvidence {
    let platform: Platform
    let template: ReportTemplate
    let signer: Signer
    var certificates: SNPCertificates
    var anchors: [TrustAnchor]
    var reportData = [UInt8](repeating: 0xd7, count: 64)

    /// A P-384 key that can be passed around.
    final class Signer: Sendable {
        let key: SigningKey

        init() throws {
            key = try SigningKey.generate(.p384)
        }
    }

    init(
        _ product: SNPProduct = .milan, _ kind: SNPSigningKey = .vcek, version: UInt32 = 3,
        tcb: SimulatedTCB? = nil
    ) throws {
        platform = Platform(
            product: product, keyKind: kind, tcb: tcb ?? SimulatedTCB(product: product))
        let authority = try Authority(
            product: product, keyKind: kind, rootKey: try TestKeys.root(),
            intermediateKey: try TestKeys.intermediate(), now: TestKeys.now)
        signer = try Signer()
        certificates = SNPCertificates(
            endorsementKey: try authority.endorse(platform, key: signer.key, now: TestKeys.now),
            intermediate: authority.certificates.intermediate,
            root: authority.certificates.root)
        anchors = [
            TrustAnchor(
                name: "ARK-\(product.rawValue)", product: product,
                keyDigest: authority.rootKey.publicKeyInfoDigest)
        ]
        template = ReportTemplate(
            version: version, product: product, policy: 0x30000, isSignedByVLEK: kind == .vlek,
            tcb: platform.tcb.raw, measurement: FixedBytes(), hostData: FixedBytes(),
            reportID: FixedBytes(), chipID: platform.reportedChipID)
    }

    /// A report whose signed part `change` has altered before it was signed.
    func report(_ change: (inout [UInt8]) -> Void = { _ in }) throws -> [UInt8] {
        var signed = template.signedBytes(reportData: reportData, vmpl: 0)
        change(&signed)
        let (r, s) = try signer.key.signP384SHA384(signed)
        return ReportTemplate.report(
            signedBytes: signed, littleEndianR: r.reversed(), littleEndianS: s.reversed())
    }

    /// What a fresh verifier says.
    func verify(
        _ report: [UInt8], at time: Int64 = TestKeys.now
    ) throws -> VerificationResult {
        verify(report, by: SNPVerifier(anchors: anchors), at: time)
    }

    func verify(
        _ report: [UInt8], by verifier: SNPVerifier, at time: Int64 = TestKeys.now
    ) -> VerificationResult {
        verifier.verify(
            reportBytes: report, certificates: certificates,
            expected: FixedBytes(reportData) ?? FixedBytes(), at: time)
    }

    /// Another leaf for the same key, as `change` wants it, signed by `issuer`.
    mutating func replaceLeaf(
        issuer: borrowing SigningKey, _ change: (inout CertificateTemplate) -> Void
    ) throws {
        var template = Authority.endorsementTemplate(platform, now: TestKeys.now)
        change(&template)
        certificates.endorsementKey = try CertificateIssuer.issue(
            template, subjectKey: signer.key, issuerKey: issuer)
    }

    mutating func replaceLeaf(_ change: (inout CertificateTemplate) -> Void) throws {
        try replaceLeaf(issuer: try TestKeys.intermediate(), change)
    }

    /// Another intermediate for the same key.
    mutating func replaceIntermediate(_ change: (inout CertificateTemplate) -> Void) throws {
        var template = Authority.intermediateTemplate(
            platform.product, platform.keyKind, now: TestKeys.now)
        change(&template)
        certificates.intermediate = try CertificateIssuer.issue(
            template, subjectKey: try TestKeys.intermediate(), issuerKey: try TestKeys.root())
    }

    /// A revocation list by the ARK, or by the ASK or ASVK, as `change` wants it.
    func revocationList(
        byIntermediate: Bool = false, revoking serials: [[UInt8]] = [],
        signedBy key: borrowing SigningKey,
        _ change: (inout CRLTemplate) -> Void = { _ in }
    ) throws -> [UInt8] {
        let product = platform.product
        let issuer =
            byIntermediate
            ? Authority.intermediateTemplate(product, platform.keyKind, now: TestKeys.now).subject
            : Authority.rootTemplate(product, now: TestKeys.now).subject
        var template = CRLTemplate(
            issuer: issuer, thisUpdate: TestKeys.now - 86400, nextUpdate: TestKeys.now + 86400,
            entries: serials.map { .init(serial: $0, date: TestKeys.now - 86400) },
            signature: .rsaPSSSHA384)
        change(&template)
        return try CRLIssuer.issue(template, issuerKey: key)
    }

    /// As above, by the key that the issuer has.
    func revocationList(
        byIntermediate: Bool = false, revoking serials: [[UInt8]] = [],
        _ change: (inout CRLTemplate) -> Void = { _ in }
    ) throws -> [UInt8] {
        let key = byIntermediate ? try TestKeys.intermediate() : try TestKeys.root()
        return try revocationList(
            byIntermediate: byIntermediate, revoking: serials, signedBy: key, change)
    }

    /// Another root for the same key.
    mutating func replaceRoot(_ change: (inout CertificateTemplate) -> Void) throws {
        var template = Authority.rootTemplate(platform.product, now: TestKeys.now)
        change(&template)
        certificates.root = try CertificateIssuer.issue(
            template, subjectKey: try TestKeys.root(), issuerKey: try TestKeys.root())
    }
}

extension VerificationResult {
    /// The checks that did not hold.
    var refused: [String] { findings.filter { $0.outcome == .refused }.map(\.check) }

    /// The outcomes other than ok, for messages.
    var faults: [String] {
        findings.filter { $0.outcome != .ok }.map { "\($0.check): \($0.actual) \($0.note ?? "")" }
    }
}
