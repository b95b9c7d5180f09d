import Bytes
import Evidence
import OpenSSL

/// Judges chains of certificates, none that is good twice.
final class ChainStore: Sendable {
    private let anchors: [TrustAnchor]
    private let hashing = OpenSSLHashing()
    /// Enough for a fleet's chips; an entry takes about 10 KiB.
    private let chains = BoundedCache<EndorsementChain>(capacity: 1024)
    private let issuers = BoundedCache<IssuerChain>(capacity: 32)
    /// Each of up to 1 MiB, and as much again once parsed.
    private let lists = BoundedCache<X509CRL>(capacity: 8)

    init(anchors: [TrustAnchor]) {
        self.anchors = anchors
    }

    /// What there is to say of `certificates`, from memory if they were found good before.
    func chain(_ certificates: SNPCertificates) -> EndorsementChain {
        let parts = [
            certificates.endorsementKey, certificates.intermediate, certificates.root,
        ]
        let key = digest(parts)
        if let key, let known = chains[key] { return known }
        var missing: [String] = []
        let leaf = read(certificates.endorsementKey, "VCEK or VLEK", &missing)
            .map(EndorsementCertificate.init)
        let issuers = issuers(certificates, &missing)
        let chain = EndorsementChain(
            leaf: leaf, issuers: issuers, missing: missing, anchors: anchors)
        if chain.isSound, let key { chains.insert(chain, for: key) }
        return chain
    }

    /// A list that `issuer` signed in AMD's way, from memory if it was found good before; nil for one
    /// that it did not sign.
    func list(_ der: [UInt8], by issuer: X509Certificate) throws(X509Error) -> X509CRL? {
        guard der.count <= X509CRL.maximumCount else { return try X509CRL(der: der) }
        let key = digest(der, issuer.der)
        if let known = lists[key] { return known }
        let list = try X509CRL(der: der)
        guard list.signatureIsRSAPSSSHA384, list.isSigned(by: issuer) else { return nil }
        lists.insert(list, for: key)
        return list
    }

    private func issuers(
        _ certificates: SNPCertificates, _ missing: inout [String]
    ) -> IssuerChain? {
        let key = digest([certificates.intermediate, certificates.root])
        if let key, let known = issuers[key] { return known }
        let intermediate = read(certificates.intermediate, "ASK or ASVK", &missing)
        let root = read(certificates.root, "ARK", &missing)
        guard let intermediate, let root else { return nil }
        let pair = IssuerChain(intermediate: intermediate, root: root)
        let isPinned = anchors.contains { $0.keyDigest == root.subjectPublicKeyInfoDigest }
        if pair.faults.isEmpty, isPinned, let key { issuers.insert(pair, for: key) }
        return pair
    }

    private func read(
        _ der: [UInt8]?, _ role: String, _ missing: inout [String]
    ) -> X509Certificate? {
        guard let der else {
            missing.append("\(role): missing")
            return nil
        }
        do throws(X509Error) {
            return try X509Certificate(der: der)
        } catch {
            missing.append("\(role): \(error)")
            return nil
        }
    }

    /// SHA-256 over all of them, each behind its length, so that no two lists look alike; nil where one
    /// is missing or too long to be a certificate, and there is nothing to remember.
    private func digest(_ parts: [[UInt8]?]) -> FixedBytes<32>? {
        var message = ByteWriter()
        for part in parts {
            guard let part, part.count <= X509Certificate.maximumCount else { return nil }
            message.bigEndian(UInt32(part.count))
            message.raw(part)
        }
        return hashing.sha256(message.bytes)
    }

    private func digest(_ list: [UInt8], _ issuer: [UInt8]) -> FixedBytes<32> {
        var message = ByteWriter()
        for part in [list, issuer] {
            message.bigEndian(UInt32(part.count))
            message.raw(part)
        }
        return hashing.sha256(message.bytes)
    }
}
