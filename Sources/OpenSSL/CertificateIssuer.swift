internal import COpenSSL

/// What a certificate is to say.
public struct CertificateTemplate: Sendable {
    /// A name of up to two parts.
    public struct Name: Equatable, Sendable {
        /// CN.
        public var commonName: String
        /// O, where there is one.
        public var organization: String?

        /// Names somebody.
        public init(commonName: String, organization: String? = nil) {
            self.commonName = commonName
            self.organization = organization
        }
    }

    /// An extension whose content is made elsewhere.
    public struct Extension: Equatable, Sendable {
        /// Dotted numbers.
        public var oid: String
        /// What goes into the OCTET STRING.
        public var value: [UInt8]
        /// Whether a reader that does not know it must refuse the certificate.
        public var isCritical: Bool

        /// Describes an extension.
        public init(oid: String, value: [UInt8], isCritical: Bool = false) {
            self.oid = oid
            self.value = value
            self.isCritical = isCritical
        }
    }

    /// How an issuer signs.
    public enum Signature: Sendable {
        /// RSASSA-PSS with SHA-384, MGF1 over SHA-384 and 48 bytes of salt: AMD's way.
        case rsaPSSSHA384
        /// ECDSA with SHA-256.
        case ecdsaSHA256
        /// ECDSA with SHA-384, which no vendor here uses: for tests.
        case ecdsaSHA384
    }

    /// Whose key it is.
    public var subject: Name
    /// Who says so; the same name for a certificate that signs itself.
    public var issuer: Name
    /// Big-endian, positive.
    public var serial: [UInt8]
    /// Start of validity, seconds since 1970 UTC.
    public var notBefore: Int64
    /// End of validity, seconds since 1970 UTC.
    public var notAfter: Int64
    /// Whether the key may sign certificates.
    public var isCA = false
    /// DNS names and IP addresses of a TLS server.
    public var alternativeNames: [String] = []
    /// Further extensions, in order.
    public var extensions: [Extension] = []
    /// How the issuer signs.
    public var signature: Signature

    /// The parts that every certificate has.
    public init(
        subject: Name, issuer: Name, serial: [UInt8], notBefore: Int64, notAfter: Int64,
        signature: Signature
    ) {
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.signature = signature
    }

    /// The template's extensions with those that follow from its other fields before them.
    var allExtensions: [Extension] {
        var all: [Extension] = []
        if isCA {
            all.append(Extension(oid: "2.5.29.19", value: [0x30, 3, 1, 1, 0xff], isCritical: true))
            // keyCertSign, cRLSign
            all.append(Extension(oid: "2.5.29.15", value: [3, 2, 1, 6], isCritical: true))
        } else if !alternativeNames.isEmpty {
            all.append(Extension(oid: "2.5.29.19", value: [0x30, 0], isCritical: true))
            // digitalSignature; serverAuth
            all.append(Extension(oid: "2.5.29.15", value: [3, 2, 7, 0x80], isCritical: true))
            let serverAuth: [UInt8] = [0x2b, 6, 1, 5, 5, 7, 3, 1]
            all.append(Extension(oid: "2.5.29.37", value: [0x30, 10, 6, 8] + serverAuth))
        }
        return all + extensions
    }
}

/// Makes certificates: the broker's own, and the simulator's vendor-shaped chain.
public enum CertificateIssuer {
    /// DER of a certificate for `subjectKey`, signed by `issuerKey`.
    public static func issue(
        _ template: CertificateTemplate, subjectKey: borrowing SigningKey,
        issuerKey: borrowing SigningKey
    ) throws(CryptoError) -> [UInt8] {
        guard let certificate = unsafe X509_new() else {
            throw .library(OpenSSLFault("X509_new"))
        }
        let handle = unsafe CertificateHandle(owning: certificate)
        try fill(handle, from: template)
        guard unsafe X509_set_pubkey(certificate, subjectKey.handle.pointer) == 1 else {
            throw .library(OpenSSLFault("X509_set_pubkey"))
        }
        try addAlternativeNames(template.alternativeNames, to: handle)
        for item in template.allExtensions { try add(item, to: handle) }
        try sign(handle, with: issuerKey, template.signature)
        return handle.encoded
    }

    private static func fill(
        _ handle: CertificateHandle, from template: CertificateTemplate
    ) throws(CryptoError) {
        let certificate = unsafe handle.pointer
        let number = unsafe BN_bin2bn(template.serial, Int32(template.serial.count), nil)
        defer { unsafe BN_free(number) }
        guard unsafe X509_set_version(certificate, 2) == 1,
            unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil,
            unsafe ASN1_TIME_adj(
                X509_getm_notBefore(certificate), time_t(template.notBefore), 0, 0) != nil,
            unsafe ASN1_TIME_adj(
                X509_getm_notAfter(certificate), time_t(template.notAfter), 0, 0) != nil
        else { throw .library(OpenSSLFault("X509 fields")) }
        try unsafe add(template.subject, to: X509_get_subject_name(certificate))
        try unsafe add(template.issuer, to: X509_get_issuer_name(certificate))
    }

    static func add(
        _ name: CertificateTemplate.Name, to target: OpaquePointer?
    ) throws(CryptoError) {
        for (field, value) in [("O", name.organization), ("CN", name.commonName)] {
            guard let value else { continue }
            let text = Array(value.utf8)
            let done = unsafe X509_NAME_add_entry_by_txt(
                target, field, MBSTRING_UTF8, text, Int32(text.count), -1, 0)
            guard done == 1 else {
                throw .library(OpenSSLFault("X509_NAME_add_entry_by_txt"))
            }
        }
    }

    private static func addAlternativeNames(
        _ texts: [String], to handle: CertificateHandle
    ) throws(CryptoError) {
        guard !texts.isEmpty else { return }
        guard let names = unsafe GENERAL_NAMES_new() else {
            throw .library(OpenSSLFault("GENERAL_NAMES_new"))
        }
        defer { unsafe GENERAL_NAMES_free(names) }
        for text in texts where unsafe bootgate_add_alternative_name(names, text) != 1 {
            throw .library(OpenSSLFault("GENERAL_NAME"))
        }
        let added = unsafe X509_add1_ext_i2d(
            handle.pointer, NID_subject_alt_name, UnsafeMutableRawPointer(names), 0, 0)
        guard added == 1 else { throw .library(OpenSSLFault("X509_add1_ext_i2d")) }
    }

    private static func add(
        _ item: CertificateTemplate.Extension, to handle: CertificateHandle
    ) throws(CryptoError) {
        let made = try unsafe make(item)
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe X509_add_ext(handle.pointer, made, -1) == 1 else {
            throw .library(OpenSSLFault("X509_add_ext"))
        }
    }

    /// An X509_EXTENSION, which the caller frees.
    static func make(
        _ item: CertificateTemplate.Extension
    ) throws(CryptoError) -> OpaquePointer {
        guard let object = unsafe OBJ_txt2obj(item.oid, 1),
            let value = unsafe ASN1_OCTET_STRING_new()
        else { throw .library(OpenSSLFault("OBJ_txt2obj")) }
        defer {
            unsafe ASN1_OBJECT_free(object)
            unsafe ASN1_OCTET_STRING_free(value)
        }
        guard unsafe ASN1_OCTET_STRING_set(value, item.value, Int32(item.value.count)) == 1,
            let made = unsafe X509_EXTENSION_create_by_OBJ(
                nil, object, item.isCritical ? 1 : 0, value)
        else { throw .library(OpenSSLFault("X509_EXTENSION_create_by_OBJ")) }
        return unsafe made
    }

    private static func sign(
        _ handle: CertificateHandle, with key: borrowing SigningKey,
        _ signature: CertificateTemplate.Signature
    ) throws(CryptoError) {
        let context = try unsafe signing(with: key, signature)
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe X509_sign_ctx(handle.pointer, context) > 0 else {
            throw .library(OpenSSLFault("X509_sign_ctx"))
        }
    }

    /// An EVP_MD_CTX that is ready to sign, which the caller frees.
    static func signing(
        with key: borrowing SigningKey, _ signature: CertificateTemplate.Signature
    ) throws(CryptoError) -> OpaquePointer {
        let usesRSA = signature == .rsaPSSSHA384
        guard (key.kind == .rsa4096) == usesRSA else {
            throw .unsupportedKey("\(key.kind) cannot sign as \(signature)")
        }
        guard let context = unsafe EVP_MD_CTX_new() else {
            throw .library(OpenSSLFault("EVP_MD_CTX_new"))
        }
        // Owned by `context`.
        var parameters: OpaquePointer?
        let digest = unsafe signature == .ecdsaSHA256 ? EVP_sha256() : EVP_sha384()
        guard
            unsafe EVP_DigestSignInit(context, &parameters, digest, nil, key.handle.pointer) == 1,
            unsafe !usesRSA || bootgate_EVP_PKEY_CTX_set_pss_sha384(parameters) == 1
        else {
            unsafe EVP_MD_CTX_free(context)
            throw .library(OpenSSLFault("EVP_DigestSignInit"))
        }
        return unsafe context
    }
}
