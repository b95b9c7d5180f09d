public import Evidence
public import Policy

/// What a verifier saw of certificates alone.
public struct SNPChainResult: Sendable, Equatable {
    /// Chain, root, dates, revocation list, revocation, product and endorsement key.
    public let findings: [Finding]
    /// The processor line of the pinned root; nil unless the certificates are genuine.
    public let product: SNPProduct?
    /// What the leaf is for; nil unless the certificates are genuine.
    public let key: SNPSigningKey?
    /// hwID of a VCEK; nil for a VLEK, and unless the certificates are genuine.
    public let hardwareID: [UInt8]?
    /// cspID of a VLEK; nil for a VCEK, and unless the certificates are genuine.
    public let providerID: String?

    /// Whether no check failed, and none but those of revocation was left out.
    public var isGenuine: Bool { product != nil }

    init(findings: [Finding], chain: EndorsementChain) {
        let optional = [SNPCheck.revocationList, .revocation].map(\.rawValue)
        let isGenuine = findings.allSatisfy {
            $0.outcome == .ok || $0.outcome == .notChecked && optional.contains($0.check)
        }
        self.findings = findings
        product = isGenuine ? chain.anchor?.product : nil
        key = isGenuine ? chain.leaf?.kind : nil
        hardwareID = isGenuine ? chain.leaf?.hardwareID : nil
        providerID = isGenuine ? chain.leaf?.providerID : nil
    }
}
