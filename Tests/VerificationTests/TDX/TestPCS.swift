import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Verification

/// P-256 keys for everything under one root; made once for all tests.
final class IntelKeys: Sendable {
    static let shared: IntelKeys = {
        do {
            return try IntelKeys()
        } catch {
            fatalError("no keys: \(error)")
        }
    }()

    enum Name: Sendable { case root, ca, pck, tcb, attestation, stranger }

    private let root, ca, pck, tcb, attestation, stranger: SigningKey

    init() throws {
        root = try .generate(.p256)
        ca = try .generate(.p256)
        pck = try .generate(.p256)
        tcb = try .generate(.p256)
        attestation = try .generate(.p256)
        stranger = try .generate(.p256)
    }

    func with<T>(_ name: Name, _ body: (borrowing SigningKey) throws -> T) rethrows -> T {
        switch name {
        case .root: try body(root)
        case .ca: try body(ca)
        case .pck: try body(pck)
        case .tcb: try body(tcb)
        case .attestation: try body(attestation)
        case .stranger: try body(stranger)
        }
    }
}

/// A platform, its quote and all that its Intel publishes; every part may be made wrong before it is
/// signed, or signed by somebody else.
struct TestPCS {
    typealias Key = IntelKeys.Name

    static let now = 1_795_219_200 as Int64  // 2026-11-21T00:00:00Z

    /// A certificate to be made: whose key it is about and whose key signs it.
    struct Certificate {
        var template: CertificateTemplate
        var key: Key
        var issuer: Key

        init(_ name: String, by issuerName: String, serial: UInt8, key: Key, issuer: Key) {
            template = CertificateTemplate(
                subject: .init(commonName: name, organization: "Simulated"),
                issuer: .init(commonName: issuerName, organization: "Simulated"),
                serial: [0x11, serial], notBefore: TestPCS.now - 1000, notAfter: TestPCS.now + 1000,
                signature: .ecdsaSHA256)
            template.isCA = name.hasSuffix("CA")
            self.key = key
            self.issuer = issuer
        }

        var der: [UInt8] {
            get throws {
                try IntelKeys.shared.with(key) { key in
                    try IntelKeys.shared.with(issuer) { issuer in
                        try CertificateIssuer.issue(template, subjectKey: key, issuerKey: issuer)
                    }
                }
            }
        }
    }

    static let rootName = "Intel SGX Root CA"
    static let caName = "Intel SGX PCK Platform CA"

    var root = Certificate(rootName, by: rootName, serial: 1, key: .root, issuer: .root)
    var ca = Certificate(caName, by: rootName, serial: 2, key: .ca, issuer: .root)
    var pck = Certificate(
        "Intel SGX PCK Certificate", by: caName, serial: 3, key: .pck, issuer: .ca)
    var tcb = Certificate(
        "Intel SGX TCB Signing", by: rootName, serial: 4, key: .tcb, issuer: .root)
    /// nil leaves the extension out.
    var platform: PCKExtensionBuilder? = PCKExtensionBuilder()
    var quote: TDXQuoteBuilder
    var quoteSigner = Key.attestation
    var attestationKey = Key.attestation
    var qeReportSigner = Key.pck
    /// Changes the QE report after the key was bound in it and before it is signed.
    var changeQEReport: (inout [UInt8]) -> Void = { _ in }
    var tcbInfo = TCBInfoBuilder()
    var qeIdentity = QEIdentityBuilder()
    var documentSigner = Key.tcb
    var pckCRL = CRLTemplate(
        issuer: .init(commonName: caName, organization: "Simulated"), thisUpdate: now - 100,
        nextUpdate: now + 100, signature: .ecdsaSHA256)
    var pckCRLSigner = Key.ca
    var rootCRL = CRLTemplate(
        issuer: .init(commonName: rootName, organization: "Simulated"), thisUpdate: now - 100,
        nextUpdate: now + 100, signature: .ecdsaSHA256)
    var rootCRLSigner = Key.root
    var expected = FixedBytes<64>([UInt8](repeating: 0xda, count: 64)) ?? FixedBytes()
    var anchors: [TrustAnchor] = []

    init(version: UInt16 = 4, bodyType: UInt16 = 2) throws {
        quote = TDXQuoteBuilder(version: version, bodyType: bodyType)
        quote.set(.reportData, expected.bytes)
        anchors = [Self.anchor(.root)]
    }

    static func anchor(_ key: Key, family: TrustAnchor.Family = .tdx) -> TrustAnchor {
        IntelKeys.shared.with(key) {
            TrustAnchor(name: "test root", family: family, keyDigest: $0.publicKeyInfoDigest)
        }
    }

    static func pem(_ certificates: [[UInt8]]) throws -> [UInt8] {
        try certificates.flatMap { try X509Certificate(der: $0).pem }
    }

    var leaf: [UInt8] {
        get throws {
            var pck = pck
            if let platform {
                pck.template.extensions.append(
                    .init(oid: PCKExtension.oid, value: platform.der))
            }
            return try pck.der
        }
    }

    /// The quote as the platform sends it.
    var quoteBytes: [UInt8] {
        get throws {
            var quote = quote
            quote.chain = try Self.pem([try leaf, try ca.der, try root.der])
            return try signed(quote)
        }
    }

    /// Binds the attestation key, signs report and quote, and leaves the chain alone.
    func signed(_ quote: TDXQuoteBuilder) throws -> [UInt8] {
        var quote = quote
        quote.attestationKey = try IntelKeys.shared.with(attestationKey) {
            Array(try $0.publicKey.subjectPublicKeyInfo.suffix(64))
        }
        let digest = OpenSSLHashing().sha256(quote.attestationKey + quote.authenticationData)
        quote.qeReport.replaceSubrange(
            0x140..<0x180, with: digest.bytes + [UInt8](repeating: 0, count: 32))
        changeQEReport(&quote.qeReport)
        quote.qeReportSignature = try sign(quote.qeReport, by: qeReportSigner)
        quote.signature = try sign(quote.signedBytes, by: quoteSigner)
        return quote.bytes
    }

    func sign(_ bytes: [UInt8], by key: Key) throws -> [UInt8] {
        try IntelKeys.shared.with(key) { try $0.sign(bytes, scheme: .ecdsa(.sha256)) }
    }

    var collateral: TDXCollateral {
        get throws {
            let signer = try Self.pem([try tcb.der, try root.der])
            return TDXCollateral(
                tcbInfo: try document(tcbInfo.text), tcbInfoIssuerChain: signer,
                qeIdentity: try document(qeIdentity.text), qeIdentityIssuerChain: signer,
                pckCRL: try list(pckCRL, by: pckCRLSigner),
                pckCRLIssuerChain: try Self.pem([try ca.der, try root.der]),
                rootCACRL: try list(rootCRL, by: rootCRLSigner))
        }
    }

    func document(_ text: [UInt8]) throws -> SignedJSON {
        SignedJSON(text: text, signature: try sign(text, by: documentSigner))
    }

    func list(_ template: CRLTemplate, by key: Key) throws -> [UInt8] {
        try IntelKeys.shared.with(key) { try CRLIssuer.issue(template, issuerKey: $0) }
    }

    /// What a fresh verifier says.
    func verify(at time: Int64 = now) throws -> TDXResult {
        try verify(by: TDXVerifier(anchors: anchors), at: time)
    }

    func verify(by verifier: TDXVerifier, at time: Int64 = now) throws -> TDXResult {
        verifier.verify(
            quoteBytes: try quoteBytes, collateral: try collateral, expected: expected, at: time)
    }
}

extension TDXResult {
    /// The checks that did not hold, in the order of the findings.
    var refused: [TDXCheck] {
        findings.filter { $0.outcome == .refused }.compactMap { TDXCheck(rawValue: $0.check) }
    }

    /// The checks that were not made.
    var notChecked: Set<TDXCheck> {
        Set(
            findings.filter { $0.outcome == .notChecked }.compactMap {
                TDXCheck(rawValue: $0.check)
            })
    }
}
