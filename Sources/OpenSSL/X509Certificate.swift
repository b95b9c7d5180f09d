public import Bytes
internal import COpenSSL

/// One certificate, parsed but not believed: nothing here says that anybody trusts it.
public struct X509Certificate: Sendable {
    /// The longest certificate that is read, in bytes of DER.
    public static let maximumCount = 16 << 10

    /// The bytes it was read from.
    public let der: [UInt8]
    /// CN of the subject; empty where there is none.
    public let subjectCommonName: String
    /// CN of the issuer; empty where there is none.
    public let issuerCommonName: String
    /// Serial number in hexadecimal digits, as `openssl x509 -serial` has it but in lower case.
    public let serialHex: String
    /// Start of validity, seconds since 1970 UTC.
    public let notBefore: Int64
    /// End of validity, seconds since 1970 UTC.
    public let notAfter: Int64
    /// SHA-256 of the DER SubjectPublicKeyInfo: what gets pinned.
    public let subjectPublicKeyInfoDigest: FixedBytes<32>

    let handle: CertificateHandle

    /// Parses exactly one certificate in DER.
    public init(der: [UInt8]) throws(X509Error) {
        guard (1...Self.maximumCount).contains(der.count) else {
            throw .length(actual: der.count, maximum: Self.maximumCount)
        }
        guard !Self.isPEM(der) else { throw .pemInsteadOfDER }
        var read = 0
        let parsed = unsafe der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            let certificate = unsafe d2i_X509(nil, &next, buffer.count)
            if unsafe certificate != nil, let start = buffer.baseAddress, let next = unsafe next {
                unsafe read = next - start
            }
            return unsafe certificate
        }
        guard let parsed = unsafe parsed else { throw .malformed(OpenSSLFault("d2i_X509")) }
        let handle = unsafe CertificateHandle(owning: parsed)
        guard read == der.count else { throw .trailingBytes(der.count - read) }
        guard handle.encoded == der else { throw .notCanonical }
        if let repeated = handle.repeatedExtension { throw .repeatedExtension(oid: repeated) }
        guard let validity = handle.validity, let digest = handle.publicKeyInfoDigest else {
            throw .malformed(OpenSSLFault("X509 fields"))
        }
        self.der = der
        self.handle = handle
        subjectCommonName = handle.subjectCommonName
        issuerCommonName = handle.issuerCommonName
        serialHex = handle.serialHex
        notBefore = validity.notBefore
        notAfter = validity.notAfter
        subjectPublicKeyInfoDigest = digest
    }

    /// Whether `notBefore <= time <= notAfter`; seconds since 1970 UTC.
    public func isValid(at time: Int64) -> Bool {
        notBefore <= time && time <= notAfter
    }

    /// The content of the extension's OCTET STRING; nil where the extension is absent.
    ///
    /// - Parameter oid: dotted numbers, such as `1.3.6.1.4.1.3704.1.4`.
    public func extensionValue(oid: String) -> [UInt8]? {
        handle.extensionValue(oid: oid)
    }

    /// Whether basic constraints are there and say CA.
    public var basicConstraintsCA: Bool {
        let flags = unsafe X509_get_extension_flags(handle.pointer)
        return flags & UInt32(EXFLAG_BCONS) != 0 && flags & UInt32(EXFLAG_CA) != 0
            && flags & UInt32(EXFLAG_INVALID) == 0
    }

    /// Whether the signature is RSASSA-PSS with SHA-384, MGF1 over SHA-384 and a salt of 48 bytes,
    /// as AMD publication 57230 has it for ARK, ASK, VCEK and VLEK.
    public var signatureIsRSAPSSSHA384: Bool {
        var digest: Int32 = 0
        var key: Int32 = 0
        var flags: UInt32 = 0
        let known = unsafe X509_get_signature_info(handle.pointer, &digest, &key, nil, &flags)
        ERR_clear_error()
        // OpenSSL sets the TLS flag for PSS only if MGF1's digest and the salt's length agree too.
        return known == 1 && key == NID_rsassaPss && digest == NID_sha384
            && flags & UInt32(X509_SIG_INFO_TLS) != 0
    }

    /// Whether `issuer` has the issuer's name and its key made the signature; dates are not looked at.
    public func isSigned(by issuer: X509Certificate) -> Bool {
        let named = unsafe X509_NAME_cmp(
            X509_get_issuer_name(handle.pointer), X509_get_subject_name(issuer.handle.pointer))
        guard named == 0, let key = unsafe X509_get0_pubkey(issuer.handle.pointer) else {
            ERR_clear_error()
            return false
        }
        let verified = unsafe X509_verify(handle.pointer, key)
        ERR_clear_error()
        return verified == 1
    }

    /// Whether this certificate's P-384 key made the ECDSA signature over SHA-384 of `signedBytes`.
    ///
    /// `r` and `s` are big-endian, 48 bytes each; any other key kind or length gives false.
    public func verifyP384SHA384(signedBytes: [UInt8], r: [UInt8], s: [UInt8]) -> Bool {
        guard let key = unsafe X509_get0_pubkey(handle.pointer),
            unsafe KeyHandle.kind(of: key) == .p384,
            let signature = ECDSASignature.der(r: r, s: s, size: 48)
        else {
            ERR_clear_error()
            return false
        }
        let digest = OpenSSLHashing().sha384(signedBytes).bytes
        return unsafe VerificationKey.check(signature, digest, .ecdsa(.sha384), by: key)
    }
}
