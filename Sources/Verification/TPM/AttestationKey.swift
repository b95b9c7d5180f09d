public import Evidence
public import OpenSSL

/// The public half of a key that a quote is said to be signed with; nobody vouches for it yet.
public struct AttestationKey: Sendable {
    /// What signatures are checked with.
    public let key: VerificationKey
    /// The key as its TPM describes it; nil where only the numbers are known.
    public let publicArea: TPMPublic?

    /// A key of which only the numbers are known, as from a certificate or Azure's runtime data.
    public init(key: VerificationKey) {
        self.key = key
        publicArea = nil
    }

    /// A key with its TPM's description, so that its attributes and its name can be checked.
    ///
    /// - Throws: for numbers that are no key, such as a point that is not on its curve.
    public init(publicArea: TPMPublic) throws(CryptoError) {
        key = try publicArea.verificationKey
        self.publicArea = publicArea
    }

    /// The TPM name; nil where the public area is not known.
    public var name: TPMName? { publicArea?.name(hashing: OpenSSLHashing()) }
}

extension TPMPublic {
    /// The key's numbers as a key.
    var verificationKey: VerificationKey {
        get throws(CryptoError) {
            switch key {
            case .rsa(_, let exponent, let modulus):
                let bytes = (0..<4).map { UInt8(truncatingIfNeeded: exponent >> (24 - 8 * $0)) }
                return try VerificationKey(rsaModulus: modulus, exponent: bytes)
            case .ecc(let curve, let x, let y):
                let kind: VerificationKey.ECKind =
                    switch curve {
                    case .p256: .p256
                    case .p384: .p384
                    case .p521: .p521
                    }
                return try VerificationKey(ec: kind, x: x, y: y)
            }
        }
    }
}
