import Bytes
import Evidence
import OpenSSL
import Policy

/// Judges Intel's chains and documents, none that is good twice.
final class IntelStore: Sendable {
    let anchors: [TrustAnchor]
    private let hashing = OpenSSLHashing()
    /// Enough for a fleet's platforms; an entry takes about 10 KiB.
    private let chains = BoundedCache<PCKChain>(capacity: 1024)
    private let issuers = BoundedCache<IntelIssuers>(capacity: 32)
    /// One for each kind of platform; an entry takes about 100 KiB.
    private let collaterals = BoundedCache<JudgedCollateral>(capacity: 64)

    init(anchors: [TrustAnchor]) {
        self.anchors = anchors
    }

    /// What there is to say of a quote's chain, from memory if it was found good before.
    func chain(_ bytes: [UInt8]) -> PCKChain {
        let key = hashing.sha256(bytes)
        if let known = chains[key] { return known }
        let chain = judge(bytes)
        if chain.isSound { chains.insert(chain, for: key) }
        return chain
    }

    private func judge(_ bytes: [UInt8]) -> PCKChain {
        guard var parts = CertificateList.split(bytes, atMost: 3), parts.count == 3 else {
            return PCKChain(
                leaf: nil, issuers: nil, unreadable: ["not three certificates in PEM or DER"],
                anchors: anchors)
        }
        do throws(X509Error) {
            var leaf = try X509Certificate(der: parts[0])
            if IntelRole.root.names.contains(leaf.subjectCommonName) {
                parts.reverse()
                leaf = try X509Certificate(der: parts[0])
            }
            let above = try pair(parts[1], as: .pckCA, root: parts[2])
            return PCKChain(leaf: leaf, issuers: above, unreadable: [], anchors: anchors)
        } catch {
            return PCKChain(leaf: nil, issuers: nil, unreadable: ["\(error)"], anchors: anchors)
        }
    }

    /// The issuer and root of a PEM text, from memory if they were found good before.
    ///
    /// - Throws: why there are no two certificates to look at.
    func issuers(pem: [UInt8], as role: IntelRole) throws(X509Error) -> IntelIssuers {
        let maximum = TDXCollateral.maximumChain
        guard pem.count <= maximum else { throw .length(actual: pem.count, maximum: maximum) }
        guard var parts = PEM.certificates(pem, atMost: 2), parts.count == 2 else {
            throw .certificateCount(expected: "2 in PEM", actual: 0)
        }
        let first = try X509Certificate(der: parts[0])
        if IntelRole.root.names.contains(first.subjectCommonName) { parts.reverse() }
        return try pair(parts[0], as: role, root: parts[1])
    }

    private func pair(
        _ certificate: [UInt8], as role: IntelRole, root: [UInt8]
    ) throws(X509Error) -> IntelIssuers {
        let key = digest([Array("\(role)".utf8), certificate, root])
        if let known = issuers[key] { return known }
        let pair = IntelIssuers(
            try X509Certificate(der: certificate), as: role, root: try X509Certificate(der: root),
            anchors: anchors)
        if pair.isSound { issuers.insert(pair, for: key) }
        return pair
    }

    /// What there is to say of `collateral`, from memory if it was found good before.
    func judge(_ collateral: TDXCollateral) -> JudgedCollateral {
        // Signatures stand for what they sign: hashing some 20 KiB would take as long as an ECDSA.
        let key = digest([
            collateral.tcbInfo.signature, collateral.qeIdentity.signature,
            Array(collateral.pckCRL.suffix(64)), Array(collateral.rootCACRL.suffix(64)),
        ])
        if let known = collaterals[key], known.source == collateral { return known }
        let judged = JudgedCollateral(collateral, in: self)
        if judged.isSound { collaterals.insert(judged, for: key) }
        return judged
    }

    /// SHA-256 over all of them, each behind its length, so that no two lists look alike.
    private func digest(_ parts: [[UInt8]]) -> FixedBytes<32> {
        var message = ByteWriter()
        for part in parts {
            message.bigEndian(UInt32(clamping: part.count))
            message.raw(part)
        }
        return hashing.sha256(message.bytes)
    }
}
