public import Bytes
public import Evidence

extension EndorsementCache {
    /// What the cache has for a TDX quote.
    public struct TDXSupply: Sendable, Equatable {
        /// Everything that Intel publishes about the platform; nil unless all of it is there.
        public let collateral: TDXCollateral?
        /// What ought to be fetched: what is not there, and what is no longer the last.
        public let wanted: [EndorsementObject]
    }

    /// Puts together what is there for a platform.
    ///
    /// - Parameters:
    ///   - fmspc: of the PCK certificate in the quote.
    ///   - authority: which CA issued that certificate.
    ///   - time: tells a document that is no longer the last; seconds since 1970, UTC.
    public func tdxCollateral(
        fmspc: FixedBytes<6>, authority: EndorsementObject.PCKAuthority, at time: Int64
    ) -> TDXSupply {
        let objects: [EndorsementObject] = [
            .tdxTCBInfo(fmspc: fmspc), .tdxQEIdentity, .pckRevocations(authority),
            .intelRootRevocations,
        ]
        let entries = objects.map { entry($0) }
        let wanted = zip(objects, entries).filter { _, entry in
            entry.map { $0.expires < time } ?? true
        }
        return TDXSupply(collateral: Self.collateral(entries), wanted: wanted.map(\.0))
    }

    private static func collateral(_ entries: [Entry?]) -> TDXCollateral? {
        let present = entries.compactMap { $0 }
        guard present.count == entries.count, let tcbIssuers = present[0].issuers,
            let identityIssuers = present[1].issuers, let pckIssuers = present[2].issuers
        else { return nil }
        return try? TDXCollateral(
            tcbInfoResponse: present[0].body, tcbInfoIssuerChain: tcbIssuers,
            qeIdentityResponse: present[1].body, qeIdentityIssuerChain: identityIssuers,
            pckCRL: present[2].body, pckCRLIssuerChain: pckIssuers, rootCACRL: present[3].body)
    }
}

extension EndorsementObject.PCKAuthority {
    /// The CA by the issuer's CN in a PCK certificate; nil for any other issuer.
    public init?(issuerCommonName name: String) {
        switch name {
        case "Intel SGX PCK Platform CA": self = .platform
        case "Intel SGX PCK Processor CA": self = .processor
        default: return nil
        }
    }
}
