/// The certificates that a report is checked with, each DER; nil for one nobody has given.
public struct SNPCertificates: Sendable, Equatable {
    /// Of the key that signed the report: VCEK or VLEK.
    public var endorsementKey: [UInt8]?
    /// Of the key that signed that one: ASK or ASVK.
    public var intermediate: [UInt8]?
    /// Of AMD's root key: ARK.
    public var root: [UInt8]?

    /// Takes DER certificates.
    public init(
        endorsementKey: [UInt8]? = nil, intermediate: [UInt8]? = nil, root: [UInt8]? = nil
    ) {
        self.endorsementKey = endorsementKey
        self.intermediate = intermediate
        self.root = root
    }

    /// What `table` has for a report signed by `key`.
    public init(_ table: SNPCertificateTable, signedBy key: SNPSigningKey) {
        self.init(
            endorsementKey: key == .vlek ? table.vlek : table.vcek, intermediate: table.ask,
            root: table.ark)
    }
}
