/// The certificates that a report is checked with, each DER; nil for one nobody has given.
public struct SNPCertificates: Sendable, Equatable {
    /// Of the key that signed the report: VCEK or VLEK.
    public var endorsementKey: [UInt8]?
    /// Of the key that signed that one: ASK or ASVK.
    public var intermediate: [UInt8]?
    /// Of AMD's root key: ARK.
    public var root: [UInt8]?
    /// Revocation lists in DER, by the ARK or by the intermediate, from whatever sources: what one of
    /// them takes back is taken back, so a list more can only make a verifier stricter. More than
    /// ``maximumRevocationLists`` are refused.
    public var revocationLists: [[UInt8]]

    /// The most revocation lists for one report: the host's and the owner's, by two issuers.
    public static let maximumRevocationLists = 4

    /// Takes DER certificates and lists.
    public init(
        endorsementKey: [UInt8]? = nil, intermediate: [UInt8]? = nil, root: [UInt8]? = nil,
        revocationLists: [[UInt8]] = []
    ) {
        self.endorsementKey = endorsementKey
        self.intermediate = intermediate
        self.root = root
        self.revocationLists = revocationLists
    }

    /// What `table` has for a report signed by `key`.
    public init(_ table: SNPCertificateTable, signedBy key: SNPSigningKey) {
        self.init(
            endorsementKey: key == .vlek ? table.vlek : table.vcek, intermediate: table.ask,
            root: table.ark, revocationLists: table.revocationList.map { [$0] } ?? [])
    }
}
