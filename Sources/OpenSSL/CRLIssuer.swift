internal import COpenSSL

/// What a revocation list is to say.
public struct CRLTemplate: Sendable {
    /// One certificate that its issuer takes back.
    public struct Entry: Equatable, Sendable {
        /// Big-endian, positive.
        public var serial: [UInt8]
        /// Seconds since 1970 UTC.
        public var date: Int64
        /// Extensions of the entry, such as a reason.
        public var extensions: [CertificateTemplate.Extension]

        /// Takes everything as given.
        public init(
            serial: [UInt8], date: Int64, extensions: [CertificateTemplate.Extension] = []
        ) {
            self.serial = serial
            self.date = date
            self.extensions = extensions
        }
    }

    /// Whose list it is.
    public var issuer: CertificateTemplate.Name
    /// Seconds since 1970 UTC.
    public var thisUpdate: Int64
    /// Seconds since 1970 UTC; readers of ours refuse a list without it.
    public var nextUpdate: Int64?
    /// In the order in which they are written.
    public var entries: [Entry]
    /// Extensions of the list.
    public var extensions: [CertificateTemplate.Extension] = []
    /// How the issuer signs.
    public var signature: CertificateTemplate.Signature

    /// A list of `entries`.
    public init(
        issuer: CertificateTemplate.Name, thisUpdate: Int64, nextUpdate: Int64?,
        entries: [Entry] = [], signature: CertificateTemplate.Signature
    ) {
        self.issuer = issuer
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.entries = entries
        self.signature = signature
    }
}

/// Makes revocation lists, for the simulator's vendor and for tests.
public enum CRLIssuer {
    /// DER of a list signed by `issuerKey`.
    public static func issue(
        _ template: CRLTemplate, issuerKey: borrowing SigningKey
    ) throws(CryptoError) -> [UInt8] {
        guard let list = unsafe X509_CRL_new() else {
            throw .library(OpenSSLFault("X509_CRL_new"))
        }
        let handle = unsafe CRLHandle(owning: list)
        guard let name = unsafe X509_NAME_new() else {
            throw .library(OpenSSLFault("X509_NAME_new"))
        }
        defer { unsafe X509_NAME_free(name) }
        try unsafe CertificateIssuer.add(template.issuer, to: name)
        guard unsafe X509_CRL_set_version(list, 1) == 1,
            unsafe X509_CRL_set_issuer_name(list, name) == 1
        else { throw .library(OpenSSLFault("X509_CRL fields")) }
        try setDates(template, of: handle)
        for entry in template.entries { try add(entry, to: handle) }
        for item in template.extensions {
            let made = try unsafe CertificateIssuer.make(item)
            defer { unsafe X509_EXTENSION_free(made) }
            guard unsafe X509_CRL_add_ext(list, made, -1) == 1 else {
                throw .library(OpenSSLFault("X509_CRL_add_ext"))
            }
        }
        let context = try unsafe CertificateIssuer.signing(with: issuerKey, template.signature)
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe X509_CRL_sign_ctx(list, context) > 0 else {
            throw .library(OpenSSLFault("X509_CRL_sign_ctx"))
        }
        return handle.encoded()
    }

    private static func setDates(
        _ template: CRLTemplate, of handle: CRLHandle
    ) throws(CryptoError) {
        let this = unsafe ASN1_TIME_adj(nil, time_t(template.thisUpdate), 0, 0)
        defer { unsafe ASN1_TIME_free(this) }
        guard unsafe this != nil, unsafe X509_CRL_set1_lastUpdate(handle.pointer, this) == 1 else {
            throw .library(OpenSSLFault("X509_CRL_set1_lastUpdate"))
        }
        guard let nextUpdate = template.nextUpdate else { return }
        let next = unsafe ASN1_TIME_adj(nil, time_t(nextUpdate), 0, 0)
        defer { unsafe ASN1_TIME_free(next) }
        guard unsafe next != nil, unsafe X509_CRL_set1_nextUpdate(handle.pointer, next) == 1 else {
            throw .library(OpenSSLFault("X509_CRL_set1_nextUpdate"))
        }
    }

    private static func add(
        _ entry: CRLTemplate.Entry, to handle: CRLHandle
    ) throws(CryptoError) {
        guard let revoked = unsafe X509_REVOKED_new() else {
            throw .library(OpenSSLFault("X509_REVOKED_new"))
        }
        var isOwned = true
        defer { if isOwned { unsafe X509_REVOKED_free(revoked) } }
        let number = unsafe BN_bin2bn(entry.serial, Int32(entry.serial.count), nil)
        defer { unsafe BN_free(number) }
        let serial = unsafe BN_to_ASN1_INTEGER(number, nil)
        defer { unsafe ASN1_INTEGER_free(serial) }
        let date = unsafe ASN1_TIME_adj(nil, time_t(entry.date), 0, 0)
        defer { unsafe ASN1_TIME_free(date) }
        guard unsafe serial != nil, unsafe date != nil,
            unsafe X509_REVOKED_set_serialNumber(revoked, serial) == 1,
            unsafe X509_REVOKED_set_revocationDate(revoked, date) == 1
        else { throw .library(OpenSSLFault("X509_REVOKED fields")) }
        for item in entry.extensions {
            let made = try unsafe CertificateIssuer.make(item)
            defer { unsafe X509_EXTENSION_free(made) }
            guard unsafe X509_REVOKED_add_ext(revoked, made, -1) == 1 else {
                throw .library(OpenSSLFault("X509_REVOKED_add_ext"))
            }
        }
        guard unsafe X509_CRL_add0_revoked(handle.pointer, revoked) == 1 else {
            throw .library(OpenSSLFault("X509_CRL_add0_revoked"))
        }
        isOwned = false
    }
}
