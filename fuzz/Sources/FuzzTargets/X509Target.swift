import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// Certificates and revocation lists, up to the verifiers that look into them.
enum X509Target {
    /// Certificates, alone and as each part of a chain: what is accepted keeps its bytes.
    static func certificate(_ input: [UInt8]) {
        for certificate in (try? X509Certificate.certificates(pem: input)) ?? [] {
            look(certificate)
        }
        if let certificate = try? X509Certificate(der: input) {
            precondition(certificate.der == input, "other bytes than those that were read")
            precondition(
                (try? X509Certificate(pem: certificate.pem))?.der == input, "changes in PEM")
            look(certificate)
        }
        let chain = SNPCertificates(endorsementKey: input, intermediate: input, root: input)
        let result = SNPVerifier(anchors: TrustAnchor.amd).verify(certificates: chain, at: 0)
        precondition(
            result.findings.contains { $0.outcome == .refused }, "a stranger's chain is sound")
    }

    private static func look(_ certificate: X509Certificate) {
        _ = certificate.keyUsage
        _ = certificate.extendedKeyUsage
        _ = certificate.issuerFaults(depth: 1)
        _ = certificate.otherCriticalExtensions
        _ = certificate.hasUnreadableExtension
        _ = certificate.signatureHash
        _ = certificate.isSigned(by: certificate)
        if let value = certificate.extensionValue(oid: PCKExtension.oid) {
            _ = try? PCKExtension(parsing: value)
        }
        if let key = try? VerificationKey(of: certificate) {
            precondition(
                (try? VerificationKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo))?.kind
                    == key.kind, "a key in the certificate that is none outside")
        }
    }

    /// Revocation lists: what is accepted keeps its bytes.
    static func list(_ input: [UInt8]) {
        guard let list = try? X509CRL(der: input) else { return }
        precondition(list.der == input, "other bytes than those that were read")
        precondition(list.thisUpdate <= list.nextUpdate, "ends before it begins")
        guard let certificate = Self.issuer else { return }
        _ = list.isSigned(by: certificate)
        precondition(!list.revokes(certificate) || list.covers(certificate), "of another issuer")
    }

    /// A certificate to hold lists against, of the issuer that those in `fuzz/Seeds` are of.
    private static let issuer: X509Certificate? = {
        let template = CertificateTemplate(
            subject: .init(commonName: "Intel SGX Root CA"),
            issuer: .init(commonName: "Intel SGX Root CA"), serial: [1], notBefore: 0,
            notAfter: 1, signature: .ecdsaSHA256)
        guard let key = try? SigningKey.generate(.p256),
            let der = try? CertificateIssuer.issue(template, subjectKey: key, issuerKey: key)
        else { return nil }
        return try? X509Certificate(der: der)
    }()
}
