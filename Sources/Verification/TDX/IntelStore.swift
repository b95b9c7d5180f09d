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
    private let roots = BoundedCache<IntelRoot>(capacity: 8)
    /// By x; an entry takes about 1 KiB. A quoting enclave keeps its key until the machine restarts.
    private let attestationKeys = BoundedCache<VerificationKey>(capacity: 1024)
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
            let first = try X509Certificate(der: parts[0])
            let isReversed = first.isIntelRoot
            if isReversed { parts.reverse() }
            let leaf = isReversed ? try X509Certificate(der: parts[0]) : first
            let above = try pair(
                parts[1], as: .pckCA, root: parts[2], parsedRoot: isReversed ? first : nil)
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
        guard let parts = PEM.certificates(pem, atMost: 2), parts.count == 2 else {
            throw .certificateCount(expected: "2 in PEM", actual: 0)
        }
        if let known = issuers[key(role, parts[0], parts[1])] { return known }
        let first = try X509Certificate(der: parts[0])
        if first.isIntelRoot {
            return try pair(parts[1], as: role, root: parts[0], parsedRoot: first)
        }
        return try pair(parts[0], as: role, root: parts[1], parsed: first)
    }

    /// A certificate and its root; those that a caller has parsed already are not parsed again.
    private func pair(
        _ certificate: [UInt8], as role: IntelRole, root: [UInt8], parsed: X509Certificate? = nil,
        parsedRoot: X509Certificate? = nil
    ) throws(X509Error) -> IntelIssuers {
        let key = key(role, certificate, root)
        if let known = issuers[key] { return known }
        let pair = IntelIssuers(
            try Self.certificate(certificate, parsed), as: role,
            root: try judgedRoot(root, parsedRoot))
        if pair.isSound { issuers.insert(pair, for: key) }
        return pair
    }

    private func judgedRoot(
        _ der: [UInt8], _ parsed: X509Certificate?
    ) throws(X509Error) -> IntelRoot {
        let key = hashing.sha256(der)
        if let known = roots[key] { return known }
        let root = IntelRoot(try Self.certificate(der, parsed), anchors: anchors)
        if root.isSound { roots.insert(root, for: key) }
        return root
    }

    private static func certificate(
        _ der: [UInt8], _ parsed: X509Certificate?
    ) throws(X509Error) -> X509Certificate {
        if let parsed { return parsed }
        return try X509Certificate(der: der)
    }

    private func key(
        _ role: IntelRole, _ certificate: [UInt8], _ root: [UInt8]
    ) -> FixedBytes<32> {
        digest([Array("\(role)".utf8), certificate, root])
    }

    /// The key at `point`, x || y, from memory if a genuine quote was signed with it before.
    func attestationKey(_ point: FixedBytes<64>) throws(CryptoError) -> VerificationKey {
        if let known = attestationKeys[Self.x(point)],
            known.subjectPublicKeyInfo.suffix(64).elementsEqual(point.bytes)
        {
            return known
        }
        return try VerificationKey(p256: point)
    }

    /// Remembers the key of a quote whose every check was made and held.
    func remember(_ key: VerificationKey, at point: FixedBytes<64>) {
        if attestationKeys[Self.x(point)] == nil { attestationKeys.insert(key, for: Self.x(point)) }
    }

    private static func x(_ point: FixedBytes<64>) -> FixedBytes<32> {
        FixedBytes(point.bytes.prefix(32)) ?? FixedBytes()
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

extension X509Certificate {
    /// By its name, which says where it stands in a chain and nothing of whether it is genuine.
    fileprivate var isIntelRoot: Bool { IntelRole.root.names.contains(subjectCommonName) }
}
