public import Bytes
public import Evidence

/// A vendor's root key that an owner believes, for one processor line.
///
/// Only the key is pinned: the certificate around it comes with the evidence and counts for nothing
/// by itself.
public struct TrustAnchor: Sendable, Hashable {
    /// What findings call it, such as `ARK-Milan`.
    public let name: String
    /// The processor line whose chains may end in it.
    public let product: SNPProduct
    /// SHA-256 of the DER SubjectPublicKeyInfo.
    public let keyDigest: FixedBytes<32>

    /// Takes everything as given.
    public init(name: String, product: SNPProduct, keyDigest: FixedBytes<32>) {
        self.name = name
        self.product = product
        self.keyDigest = keyDigest
    }

    /// AMD's root keys (ARK), as published by its key distribution service
    /// (`https://kdsintf.amd.com/vcek/v1/{product}/cert_chain`).
    public static let amd: [TrustAnchor] = [
        amd(.milan, "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"),
        amd(.genoa, "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"),
        amd(.turin, "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"),
    ]

    private static func amd(_ product: SNPProduct, _ digest: String) -> TrustAnchor {
        guard let digest = FixedBytes<32>(hex: digest) else {
            preconditionFailure("the digest above is not 64 hexadecimal digits")
        }
        return TrustAnchor(name: "ARK-\(product.rawValue)", product: product, keyDigest: digest)
    }
}
