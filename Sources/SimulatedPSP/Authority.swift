import Bytes
import Evidence
import OpenSSL

/// What a host hands out of an ``Authority``, DER.
struct IssuerCertificates: Equatable {
    var root: [UInt8]
    var intermediate: [UInt8]
}

/// A root and an intermediate shaped like AMD's, with their private keys.
///
/// Names of the subjects, extensions and signature scheme are AMD's, since those are what a verifier
/// looks at; the organisation says what it really is.
struct Authority: ~Copyable {
    let product: SNPProduct
    /// Whose certificates the intermediate signs: VCEK or VLEK.
    let keyKind: SNPSigningKey
    let certificates: IssuerCertificates
    let rootKey: SigningKey
    let intermediateKey: SigningKey

    static let organization = "Bootgate simulated processor"
    private static let day: Int64 = 86400
    private static let year: Int64 = 365 * day

    /// Takes what ``PlatformDirectory`` has read.
    init(
        product: SNPProduct, keyKind: SNPSigningKey, certificates: IssuerCertificates,
        rootKey: consuming SigningKey, intermediateKey: consuming SigningKey
    ) {
        self.product = product
        self.keyKind = keyKind
        self.certificates = certificates
        self.rootKey = rootKey
        self.intermediateKey = intermediateKey
    }

    /// Makes both keys and certificates; two RSA keys of 4096 bits take some seconds.
    init(product: SNPProduct, keyKind: SNPSigningKey, now: Int64) throws(CryptoError) {
        let rootKey = try SigningKey.generate(.rsa4096)
        let intermediateKey = try SigningKey.generate(.rsa4096)
        let rootName = Self.name("ARK-\(product.rawValue)")
        var root = Self.template(
            subject: rootName, issuer: rootName, from: now, years: 25)
        root.isCA = true
        var intermediate = Self.template(
            subject: Self.name(Self.intermediateName(product, keyKind)), issuer: rootName,
            from: now, years: 25)
        intermediate.isCA = true
        let rootCertificate = try CertificateIssuer.issue(
            root, subjectKey: rootKey, issuerKey: rootKey)
        let intermediateCertificate = try CertificateIssuer.issue(
            intermediate, subjectKey: intermediateKey, issuerKey: rootKey)
        self.init(
            product: product, keyKind: keyKind,
            certificates: IssuerCertificates(
                root: rootCertificate, intermediate: intermediateCertificate),
            rootKey: rootKey, intermediateKey: intermediateKey)
    }

    /// DER of a certificate for a chip's or a provider's key, with the extensions of a VCEK or VLEK.
    borrowing func endorse(
        _ platform: Platform, key: borrowing SigningKey, now: Int64
    ) throws(CryptoError) -> [UInt8] {
        var template = Self.template(
            subject: Self.name(keyKind == .vlek ? "SEV-VLEK" : "SEV-VCEK"),
            issuer: Self.name(Self.intermediateName(product, keyKind)), from: now,
            years: keyKind == .vlek ? 1 : 7)
        template.extensions = platform.certificateExtensions
        return try CertificateIssuer.issue(
            template, subjectKey: key, issuerKey: intermediateKey)
    }

    private static func intermediateName(_ product: SNPProduct, _ kind: SNPSigningKey) -> String {
        kind == .vlek ? "SEV-VLEK-\(product.rawValue)" : "SEV-\(product.rawValue)"
    }

    private static func name(_ commonName: String) -> CertificateTemplate.Name {
        CertificateTemplate.Name(commonName: commonName, organization: organization)
    }

    /// A certificate that began a day ago, so that clocks may differ a little.
    private static func template(
        subject: CertificateTemplate.Name, issuer: CertificateTemplate.Name, from now: Int64,
        years: Int64
    ) -> CertificateTemplate {
        CertificateTemplate(
            subject: subject, issuer: issuer, serial: [1], notBefore: now - day,
            notAfter: now + years * year, signature: .rsaPSSSHA384)
    }
}
