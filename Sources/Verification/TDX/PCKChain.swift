import Bytes
import Evidence
import OpenSSL
import Policy

/// The three certificates of a platform's key, and all that can be said of them without a quote and
/// without a clock.
final class PCKChain: Sendable {
    /// The PCK certificate; nil where there is none that can be read.
    let leaf: X509Certificate?
    /// Its key; nil unless it is on P-256.
    let key: VerificationKey?
    /// What it says of the platform; nil where that cannot be read.
    let platform: PCKExtension?
    /// CA and root; nil where they cannot be read.
    let issuers: IntelIssuers?
    let chainFinding: Finding
    let rootFinding: Finding

    var anchor: TrustAnchor? { issuers?.anchor }
    /// Each certificate that is there, the leaf first.
    var certificates: [X509Certificate] {
        [leaf, issuers?.certificate, issuers?.root].compactMap { $0 }
    }
    /// Whether both findings are ok, so that the chain may be remembered.
    var isSound: Bool { chainFinding.outcome == .ok && rootFinding.outcome == .ok }

    private static let expected = "Intel SGX PCK Certificate <- PCK CA <- Root CA"

    /// Judges certificates; `unreadable` says what could not be read.
    init(
        leaf: X509Certificate?, issuers: IntelIssuers?, unreadable: [String],
        anchors: [TrustAnchor]
    ) {
        self.leaf = leaf
        self.issuers = issuers
        var faults = unreadable
        key = leaf.flatMap { try? VerificationKey(of: $0) }
        var platform: PCKExtension?
        if let leaf {
            if key?.kind != .p256 { faults.append("the PCK is not on P-256") }
            do throws(ParseError) {
                guard let value = leaf.extensionValue(oid: PCKExtension.oid) else {
                    throw .invalid(field: "SGX extensions", rule: "are missing")
                }
                platform = try PCKExtension(parsing: value)
            } catch {
                faults.append("\(error)")
            }
            if let issuers {
                faults += IntelRole.pck.faults(of: leaf, issuer: issuers.certificate)
            }
        }
        self.platform = platform
        faults += issuers?.faults ?? []
        let names = [leaf, issuers?.certificate, issuers?.root].compactMap {
            $0?.subjectCommonName
        }
        chainFinding = TDXCheck.chain.finding(
            faults: faults, expected: Self.expected, actual: names.joined(separator: " <- "))
        rootFinding = Self.rootFinding(issuers, anchors)
    }

    private static func rootFinding(
        _ issuers: IntelIssuers?, _ anchors: [TrustAnchor]
    ) -> Finding {
        let pins = anchors.map { "\($0.name) \($0.keyDigest.hex)" }.joined(separator: ", ")
        let expected = anchors.isEmpty ? "a pinned key; none is configured" : "one of \(pins)"
        guard let issuers else {
            return TDXCheck.root.notChecked(expected: expected, because: "no chain up to a root")
        }
        let digest = issuers.root.subjectPublicKeyInfoDigest.hex
        if let anchor = issuers.anchor {
            return TDXCheck.root.finding(
                true, expected: "\(anchor.name) \(digest)", actual: "\(anchor.name) \(digest)")
        }
        return TDXCheck.root.finding(
            false, expected: expected, actual: "\(issuers.root.subjectCommonName) \(digest)")
    }
}
