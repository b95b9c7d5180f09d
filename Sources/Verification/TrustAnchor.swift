public import Bytes
public import Evidence

/// A vendor's root key that an owner believes, for one family of evidence.
///
/// Only the key is pinned: the certificate around it comes with the evidence and counts for nothing
/// by itself.
public struct TrustAnchor: Sendable, Hashable {
    /// What chains that end in the key may vouch for.
    public enum Family: Sendable, Hashable {
        /// SEV-SNP reports of one processor line.
        case snp(SNPProduct)
        /// TDX quotes, and Intel's documents about them.
        case tdx
        /// Keys that quotes of TPMs are signed with.
        case attestationKey
        /// Endorsement keys of TPMs.
        case endorsementKey
    }

    /// What findings call it, such as `ARK-Milan`.
    public let name: String
    /// The evidence whose chains may end in it.
    public let family: Family
    /// SHA-256 of the DER SubjectPublicKeyInfo.
    public let keyDigest: FixedBytes<32>

    /// Takes everything as given.
    public init(name: String, family: Family, keyDigest: FixedBytes<32>) {
        self.name = name
        self.family = family
        self.keyDigest = keyDigest
    }

    /// A root for SNP reports of one processor line.
    public init(name: String, product: SNPProduct, keyDigest: FixedBytes<32>) {
        self.init(name: name, family: .snp(product), keyDigest: keyDigest)
    }

    /// The processor line whose SNP chains may end in it; nil for a root of other evidence.
    public var product: SNPProduct? {
        if case .snp(let product) = family { product } else { nil }
    }

    /// AMD's root keys (ARK), as published by its key distribution service
    /// (`https://kdsintf.amd.com/vcek/v1/{product}/cert_chain`).
    public static let amd: [TrustAnchor] = [
        amd(.milan, "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"),
        amd(.genoa, "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"),
        amd(.turin, "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"),
    ]

    /// The key of the Intel SGX Root CA, which TDX hangs on too
    /// (`https://certificates.trustedservices.intel.com/IntelSGXRootCA.der`).
    public static let intel: [TrustAnchor] = [
        TrustAnchor(
            name: "Intel SGX Root CA", family: .tdx,
            keyDigest: digest("a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e"))
    ]

    /// Google's roots for the attestation keys of its virtual TPMs: the one in use since 2022, and the
    /// one of 2018 that older instances hang on (`https://pki.goog/cloud_integrity/tpm_ek_root_1.cer`).
    public static let google: [TrustAnchor] = [
        TrustAnchor(
            name: "Google EK/AK CA Root", family: .attestationKey,
            keyDigest: digest("56a613f57126a385dd6949294e93b0b566f96ab0573be0c2368e6f5ca779831f")),
        TrustAnchor(
            name: "Google tpm_ek_v1_cloud_host_root", family: .attestationKey,
            keyDigest: digest("f23057f4f97d1d90e4cae0ce91d5a0fc99069f0a1bc147021dca33b1e9c4d0d9")),
    ]

    private static func amd(_ product: SNPProduct, _ hex: String) -> TrustAnchor {
        TrustAnchor(name: "ARK-\(product.rawValue)", product: product, keyDigest: digest(hex))
    }

    private static func digest(_ hex: String) -> FixedBytes<32> {
        guard let digest = FixedBytes<32>(hex: hex) else {
            preconditionFailure("the digest above is not 64 hexadecimal digits")
        }
        return digest
    }
}
