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

    init(anchors: [TrustAnchor]) {
        self.anchors = anchors
    }

    /// What there is to say of `certificates`, from memory if they were found good before.
    func chain(_ certificates: SNPCertificates) -> EndorsementChain {
        let key = digest([
            certificates.endorsementKey, certificates.intermediate, certificates.root,
        ])
        if let known = chains[key] { return known }
        var missing: [String] = []
        let leaf = read(certificates.endorsementKey, "VCEK or VLEK", &missing)
            .map(EndorsementCertificate.init)
        let issuers = issuers(certificates, &missing)
        let chain = EndorsementChain(
            leaf: leaf, issuers: issuers, missing: missing, anchors: anchors)
        if chain.isSound { chains.insert(chain, for: key) }
        return chain
    }

    private func issuers(
        _ certificates: SNPCertificates, _ missing: inout [String]
    ) -> IssuerChain? {
        let key = digest([certificates.intermediate, certificates.root])
        if let known = issuers[key] { return known }
        let intermediate = read(certificates.intermediate, "ASK or ASVK", &missing)
        let root = read(certificates.root, "ARK", &missing)
        guard let intermediate, let root else { return nil }
        let pair = IssuerChain(intermediate: intermediate, root: root)
        let isPinned = anchors.contains { $0.keyDigest == root.subjectPublicKeyInfoDigest }
        if pair.faults.isEmpty, isPinned { issuers.insert(pair, for: key) }
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

    /// SHA-256 over all of them, each behind its length, so that no two lists look alike.
    private func digest(_ parts: [[UInt8]?]) -> FixedBytes<32> {
        var message = ByteWriter()
        for part in parts {
            message.bigEndian(UInt32(clamping: part?.count ?? 0))
            message.raw(part ?? [])
        }
        return hashing.sha256(message.bytes)
    }
}
