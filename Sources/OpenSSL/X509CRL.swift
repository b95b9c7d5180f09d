internal import COpenSSL

/// One certificate revocation list, parsed but not believed: ``isSigned(by:)`` says whose it is.
///
/// Profile: RFC 5280, section 5. Only whole lists of one issuer are read; delta lists, indirect lists
/// and lists of a part are refused, since what is not in those may be revoked all the same.
public struct X509CRL: Sendable {
    /// The longest list that is read, in bytes of DER: some 25 000 entries.
    public static let maximumCount = 1 << 20

    /// The bytes it was read from.
    public let der: [UInt8]
    /// CN of the issuer; empty where there is none.
    public let issuerCommonName: String
    /// When it was made, seconds since 1970 UTC.
    public let thisUpdate: Int64
    /// When the next one is due at the latest, seconds since 1970 UTC.
    public let nextUpdate: Int64
    /// How many certificates it names.
    public let count: Int
    /// Whether the signature is RSASSA-PSS with SHA-384, MGF1 over SHA-384 and a salt of 48 bytes, as
    /// AMD publication 57230 has it.
    public let signatureIsRSAPSSSHA384: Bool
    /// Whether the signature is ECDSA with SHA-256, as Intel's profile has it.
    public let signatureIsECDSASHA256: Bool

    private let handle: CRLHandle

    /// Parses exactly one list in DER.
    ///
    /// - Throws: `X509Error.revocationList`.
    public init(der: [UInt8]) throws(X509Error) {
        guard (1...Self.maximumCount).contains(der.count) else {
            throw .revocationList(.length(actual: der.count, maximum: Self.maximumCount))
        }
        guard !X509Certificate.isPEM(der) else { throw .revocationList(.pemInsteadOfDER) }
        let handle = try Self.parse(der)
        // The handle that is kept must keep the bytes that are signed, so another is encoded anew.
        guard try Self.parse(der).encoded(anew: true) == der else {
            throw .revocationList(.notCanonical)
        }
        if let fault = handle.extensionFault { throw .revocationList(fault) }
        guard let thisUpdate = handle.thisUpdate else {
            throw .revocationList(.malformed(OpenSSLFault("X509_CRL_get0_lastUpdate")))
        }
        guard let nextUpdate = handle.nextUpdate else { throw .revocationList(.noNextUpdate) }
        guard thisUpdate <= nextUpdate else { throw .revocationList(.dates) }
        self.der = der
        self.handle = handle
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        issuerCommonName = handle.issuerCommonName
        count = handle.entryCount
        var algorithm: UnsafePointer<X509_ALGOR>?
        unsafe X509_CRL_get0_signature(handle.pointer, nil, &algorithm)
        signatureIsRSAPSSSHA384 = unsafe bootgate_is_pss_sha384(algorithm) == 1
        signatureIsECDSASHA256 =
            unsafe X509_CRL_get_signature_nid(handle.pointer) == NID_ecdsa_with_SHA256
        ERR_clear_error()
    }

    private static func parse(_ der: [UInt8]) throws(X509Error) -> CRLHandle {
        var read = 0
        let parsed = unsafe der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            let list = unsafe d2i_X509_CRL(nil, &next, buffer.count)
            if unsafe list != nil, let start = buffer.baseAddress, let next = unsafe next {
                unsafe read = next - start
            }
            return unsafe list
        }
        guard let parsed = unsafe parsed else {
            throw .revocationList(.malformed(OpenSSLFault("d2i_X509_CRL")))
        }
        let handle = unsafe CRLHandle(owning: parsed)
        guard read == der.count else { throw .revocationList(.trailingBytes(der.count - read)) }
        return handle
    }

    /// Whether `thisUpdate <= time <= nextUpdate`; seconds since 1970 UTC.
    public func isCurrent(at time: Int64) -> Bool {
        thisUpdate <= time && time <= nextUpdate
    }

    /// Whether `issuer` has the issuer's name, may sign lists (RFC 5280, section 4.2.1.3: cRLSign,
    /// where it has a key usage at all) and its key made the signature; dates are not looked at.
    public func isSigned(by issuer: X509Certificate) -> Bool {
        defer { ERR_clear_error() }
        let usage = unsafe X509_get_key_usage(issuer.handle.pointer)
        guard isNamed(issuer), usage & UInt32(KU_CRL_SIGN) != 0,
            let key = unsafe X509_get0_pubkey(issuer.handle.pointer)
        else { return false }
        return unsafe X509_CRL_verify(handle.pointer, key) == 1
    }

    /// Whether the list's issuer has the name of `certificate`'s subject.
    public func isNamed(_ certificate: X509Certificate) -> Bool {
        unsafe X509_NAME_cmp(
            X509_CRL_get_issuer(handle.pointer),
            X509_get_subject_name(certificate.handle.pointer)) == 0
    }

    /// Whether the list is of `certificate`'s issuer, by name: only then ``revokes(_:)`` says anything.
    public func covers(_ certificate: X509Certificate) -> Bool {
        unsafe X509_NAME_cmp(
            X509_CRL_get_issuer(handle.pointer),
            X509_get_issuer_name(certificate.handle.pointer)) == 0
    }

    /// Whether the list is of `certificate`'s issuer and has its serial number, for whatever reason
    /// and since whatever date. The entries are sorted once; each look-up halves.
    public func revokes(_ certificate: X509Certificate) -> Bool {
        guard covers(certificate) else { return false }
        var entry: OpaquePointer?
        let found = unsafe X509_CRL_get0_by_serial(
            handle.pointer, &entry, X509_get0_serialNumber(certificate.handle.pointer))
        ERR_clear_error()
        // 2 is an entry that a delta list takes away, which has no place in a whole one.
        return found != 0
    }
}
