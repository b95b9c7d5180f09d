/// The hash functions that evidence comes with; which of them counts is a policy's matter.
public enum HashAlgorithm: String, Sendable, Hashable, CaseIterable, Codable {
    /// FIPS 180-4; only to read what old registers and logs hold.
    case sha1
    /// FIPS 180-4.
    case sha256
    /// FIPS 180-4.
    case sha384
    /// FIPS 180-4.
    case sha512

    /// Bytes in a digest.
    public var size: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// TPM_ALG_ID (TCG Algorithm Registry, revision 1.34, table 3).
    public var tpmIdentifier: UInt16 {
        switch self {
        case .sha1: 0x0004
        case .sha256: 0x000b
        case .sha384: 0x000c
        case .sha512: 0x000d
        }
    }

    /// The function that a TPM_ALG_ID names; nil for those that nobody here computes.
    public init?(tpmIdentifier: UInt16) {
        guard let known = Self.allCases.first(where: { $0.tpmIdentifier == tpmIdentifier })
        else { return nil }
        self = known
    }
}
