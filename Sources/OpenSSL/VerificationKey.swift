public import Bytes
internal import COpenSSL

/// A public key that evidence is signed with; having it says nothing about who holds its other half.
public struct VerificationKey: Sendable {
    /// The kinds of key that evidence comes with.
    public enum Kind: Sendable, Hashable {
        /// RSA with a modulus of so many bits, 2048 to 4096.
        case rsa(bits: Int)
        /// ECDSA on P-256.
        case p256
        /// ECDSA on P-384.
        case p384
        /// ECDSA on P-521.
        case p521
    }

    /// The curves, all of them of FIPS 186-4.
    public enum ECKind: Sendable, Hashable, CaseIterable {
        /// secp256r1.
        case p256
        /// secp384r1.
        case p384
        /// secp521r1.
        case p521

        /// Bytes in a coordinate, and in each half of a signature.
        public var size: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }

        var name: String {
            switch self {
            case .p256: "prime256v1"
            case .p384: "secp384r1"
            case .p521: "secp521r1"
            }
        }
    }

    /// How a signature is made, with the hash of the message.
    public enum Scheme: Sendable, Hashable {
        /// FIPS 186-4.
        case ecdsa(HashAlgorithm)
        /// RSASSA-PKCS1-v1_5 of RFC 8017.
        case rsaPKCS1(HashAlgorithm)
        /// RSASSA-PSS of RFC 8017, MGF1 over the same hash; the salt may have any length.
        case rsaPSS(HashAlgorithm)

        /// The hash of the message.
        public var hash: HashAlgorithm {
            switch self {
            case .ecdsa(let hash), .rsaPKCS1(let hash), .rsaPSS(let hash): hash
            }
        }
    }

    /// Which kind it is.
    public let kind: Kind
    /// DER SubjectPublicKeyInfo, in the one form that it has.
    public let subjectPublicKeyInfo: [UInt8]

    private let handle: KeyHandle

    /// Reads exactly one SubjectPublicKeyInfo in canonical DER: rsaEncryption, or an uncompressed point
    /// on one of ``ECKind``.
    public init(subjectPublicKeyInfo der: [UInt8]) throws(CryptoError) {
        guard let info = PublicKeyInfo(der: der) else { throw Self.noKey }
        try self.init(info)
    }

    /// Reads exactly one `PUBLIC KEY` of RFC 7468.
    public init(pem: [UInt8]) throws(CryptoError) {
        guard pem.count <= 4096, let der = PEM.publicKey(pem) else {
            throw .unsupportedKey("expected one PUBLIC KEY in PEM")
        }
        try self.init(subjectPublicKeyInfo: der)
    }

    /// Takes x || y, big-endian; refuses a point that is not on P-256.
    public init(p256 point: FixedBytes<64>) throws(CryptoError) {
        try self.init(.ec(.p256, point: point.bytes))
    }

    /// Takes coordinates, big-endian, shorter ones as if zeros stood before them; refuses a point that
    /// is not on the curve.
    public init(ec kind: ECKind, x: [UInt8], y: [UInt8]) throws(CryptoError) {
        var point: [UInt8] = []
        for (name, part) in [("x", x), ("y", y)] {
            guard (1...kind.size).contains(part.count) else {
                throw .wrongLength(
                    field: "EC point \(name)", expected: "1 to \(kind.size)", actual: part.count)
            }
            point += [UInt8](repeating: 0, count: kind.size - part.count) + part
        }
        try self.init(.ec(kind, point: point))
    }

    /// Takes the numbers, big-endian, leading zeros allowed: an odd modulus of 2048 to 4096 bits, and
    /// an odd exponent of 3 to 2^64 - 1.
    public init(rsaModulus: [UInt8], exponent: [UInt8]) throws(CryptoError) {
        try self.init(
            .rsa(
                modulus: Array(rsaModulus.drop { $0 == 0 }),
                exponent: Array(exponent.drop { $0 == 0 })))
    }

    /// The key of `certificate`, whoever signed that.
    public init(of certificate: X509Certificate) throws(CryptoError) {
        let der = certificate.handle.publicKeyInfo
        guard let info = PublicKeyInfo(der: der) else { throw Self.noKey }
        // libcrypto made a key of it when it read the certificate, unless the point is not on its curve.
        guard let key = unsafe X509_get_pubkey(certificate.handle.pointer) else {
            ERR_clear_error()
            throw Self.noPoint
        }
        handle = unsafe KeyHandle(owning: key)
        kind = try Self.kind(of: info)
        subjectPublicKeyInfo = der
    }

    private init(_ info: PublicKeyInfo) throws(CryptoError) {
        kind = try Self.kind(of: info)
        let made: OpaquePointer?
        switch info {
        case .ec(let curve, let point):
            unsafe made = bootgate_public_ec(curve.name, [4] + point, point.count + 1)
        case .rsa(let modulus, let exponent):
            unsafe made = bootgate_public_rsa(modulus, modulus.count, exponent, exponent.count)
        }
        guard let made = unsafe made else {
            ERR_clear_error()
            throw Self.noPoint
        }
        handle = unsafe KeyHandle(owning: made)
        subjectPublicKeyInfo = info.der
    }

    private static func kind(of info: PublicKeyInfo) throws(CryptoError) -> Kind {
        switch info {
        case .ec(.p256, _): .p256
        case .ec(.p384, _): .p384
        case .ec(.p521, _): .p521
        case .rsa(let modulus, let exponent):
            .rsa(bits: try bits(modulus: modulus, exponent: exponent))
        }
    }

    private static func bits(modulus: [UInt8], exponent: [UInt8]) throws(CryptoError) -> Int {
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard (2048...4096).contains(bits), let last = modulus.last, last & 1 == 1 else {
            throw .unsupportedKey("an RSA modulus must be odd and have 2048 to 4096 bits")
        }
        guard (1...8).contains(exponent.count), exponent[exponent.count - 1] & 1 == 1,
            exponent != [1]
        else { throw .unsupportedKey("an RSA exponent must be odd and within 3 to 2^64 - 1") }
        return bits
    }

    private static let noPoint = CryptoError.unsupportedKey("the point is not on its curve")
    private static let noKey = CryptoError.unsupportedKey(
        "expected one SubjectPublicKeyInfo in DER: RSA, P-256, P-384 or P-521")
}

extension VerificationKey {
    /// Whether this key's owner signed `message`; a scheme of another kind of key gives false.
    ///
    /// - Parameter signature: RSA: the bare number; ECDSA: r || s, big-endian, padded to the curve.
    public func verify(
        _ signature: [UInt8], over message: [UInt8], scheme: Scheme
    ) -> Bool {
        verify(
            signature, overDigest: OpenSSLHashing().digest(scheme.hash, message), scheme: scheme)
    }

    /// The same for an ECDSA signature in DER; BER, or bytes behind it, give false.
    public func verify(
        derSignature: [UInt8], over message: [UInt8], scheme: Scheme
    ) -> Bool {
        guard case .ecdsa(let hash) = scheme, curve != nil else { return false }
        return check(derSignature, OpenSSLHashing().digest(hash, message), scheme)
    }

    /// The same over a digest that was made elsewhere; one of another size than the hash's gives false.
    public func verify(
        _ signature: [UInt8], overDigest digest: [UInt8], scheme: Scheme
    ) -> Bool {
        guard digest.count == scheme.hash.size else { return false }
        switch (scheme, kind) {
        case (.ecdsa, _):
            guard let size = curve?.size, signature.count == 2 * size,
                let der = ECDSASignature.der(
                    r: Array(signature.prefix(size)), s: Array(signature.suffix(size)), size: size)
            else { return false }
            return check(der, digest, scheme)
        case (_, .rsa(let bits)):
            return signature.count == (bits + 7) / 8 && check(signature, digest, scheme)
        default:
            return false
        }
    }

    /// An ECDSA signature in DER over a digest that was made elsewhere.
    public func verify(
        derSignature: [UInt8], overDigest digest: [UInt8], scheme: Scheme
    ) -> Bool {
        guard case .ecdsa(let hash) = scheme, curve != nil, digest.count == hash.size else {
            return false
        }
        return check(derSignature, digest, scheme)
    }

    private var curve: ECKind? {
        switch kind {
        case .rsa: nil
        case .p256: .p256
        case .p384: .p384
        case .p521: .p521
        }
    }

    private func check(_ signature: [UInt8], _ digest: [UInt8], _ scheme: Scheme) -> Bool {
        unsafe Self.check(signature, digest, scheme, by: handle.pointer)
    }

    /// On a digest rather than on the message: `EVP_DigestVerify` would fetch the hash anew each time.
    static func check(
        _ signature: [UInt8], _ digest: [UInt8], _ scheme: Scheme, by key: OpaquePointer
    ) -> Bool {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else {
            ERR_clear_error()
            return false
        }
        defer {
            unsafe EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        guard unsafe EVP_PKEY_verify_init(context) == 1 else { return false }
        let padding: Int32? =
            switch scheme {
            case .ecdsa: nil
            case .rsaPKCS1: RSA_PKCS1_PADDING
            case .rsaPSS: RSA_PKCS1_PSS_PADDING
            }
        if let padding {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1,
                unsafe EVP_PKEY_CTX_set_signature_md(context, Digest.of(scheme.hash).handle) == 1
            else { return false }
        }
        return unsafe EVP_PKEY_verify(
            context, signature, signature.count, digest, digest.count) == 1
    }
}
