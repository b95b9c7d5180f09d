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
        try self.init(
            product: product, keyKind: keyKind, rootKey: try SigningKey.generate(.rsa4096),
            intermediateKey: try SigningKey.generate(.rsa4096), now: now)
    }

    /// Makes both certificates for keys that exist.
    init(
        product: SNPProduct, keyKind: SNPSigningKey, rootKey: consuming SigningKey,
        intermediateKey: consuming SigningKey, now: Int64
    ) throws(CryptoError) {
        let root = try CertificateIssuer.issue(
            Self.rootTemplate(product, now: now), subjectKey: rootKey, issuerKey: rootKey)
        let intermediate = try CertificateIssuer.issue(
            Self.intermediateTemplate(product, keyKind, now: now), subjectKey: intermediateKey,
            issuerKey: rootKey)
        self.init(
            product: product, keyKind: keyKind,
            certificates: IssuerCertificates(root: root, intermediate: intermediate),
            rootKey: rootKey, intermediateKey: intermediateKey)
    }

    /// DER of a certificate for a chip's or a provider's key, with the extensions of a VCEK or VLEK.
    borrowing func endorse(
        _ platform: Platform, key: borrowing SigningKey, now: Int64,
        _ change: (inout CertificateTemplate) -> Void = { _ in }
    ) throws(CryptoError) -> [UInt8] {
        var template = Self.endorsementTemplate(platform, now: now)
        change(&template)
        return try CertificateIssuer.issue(
            template, subjectKey: key, issuerKey: intermediateKey)
    }

    /// DER of the root's revocation list, or of the intermediate's.
    ///
    /// `until`: when the next one is due, seconds since 1970 UTC.
    borrowing func revocationList(
        byIntermediate: Bool = false, revoking serials: [[UInt8]], issued: Int64, until: Int64
    ) throws(CryptoError) -> [UInt8] {
        let own =
            byIntermediate ? Self.intermediateName(product, keyKind) : Self.rootName(product)
        let list = CRLTemplate(
            issuer: Self.name(own), thisUpdate: issued, nextUpdate: until,
            entries: serials.map { CRLTemplate.Entry(serial: $0, date: issued) },
            signature: .rsaPSSSHA384)
        guard byIntermediate else { return try CRLIssuer.issue(list, issuerKey: rootKey) }
        return try CRLIssuer.issue(list, issuerKey: intermediateKey)
    }

    /// An ARK, which signs itself.
    static func rootTemplate(_ product: SNPProduct, now: Int64) -> CertificateTemplate {
        let own = name(rootName(product))
        var root = template(subject: own, issuer: own, from: now, years: 25)
        root.isCA = true
        return root
    }

    /// An ASK or ASVK.
    static func intermediateTemplate(
        _ product: SNPProduct, _ kind: SNPSigningKey, now: Int64
    ) -> CertificateTemplate {
        var intermediate = template(
            subject: name(intermediateName(product, kind)),
            issuer: name(rootName(product)), from: now, years: 25)
        intermediate.isCA = true
        intermediate.serial = [2]
        return intermediate
    }

    /// A VCEK or VLEK.
    static func endorsementTemplate(_ platform: Platform, now: Int64) -> CertificateTemplate {
        let isVLEK = platform.keyKind == .vlek
        var endorsement = template(
            subject: name(isVLEK ? "SEV-VLEK" : "SEV-VCEK"),
            issuer: name(intermediateName(platform.product, platform.keyKind)), from: now,
            years: isVLEK ? 1 : 7)
        endorsement.extensions = platform.certificateExtensions
        endorsement.serial = platform.certificateSerial
        return endorsement
    }

    private static func rootName(_ product: SNPProduct) -> String { "ARK-\(product.rawValue)" }

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
