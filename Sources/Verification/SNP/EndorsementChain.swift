import Bytes
import Evidence
import OpenSSL
import Policy

/// Three certificates and all that can be said of them without a report and without a clock.
final class EndorsementChain: Sendable {
    /// The VCEK or VLEK; nil where none was given that can be read.
    let leaf: EndorsementCertificate?
    /// The pin that the root's key has; nil where it has none.
    let anchor: TrustAnchor?
    let chainFinding: Finding
    let rootFinding: Finding
    /// Each certificate that is there, the leaf first.
    let certificates: [X509Certificate]
    /// Which processor line the certificates and the pin are about; nil without a pinned root.
    let line: Line?

    /// What a chain says of its processor line.
    struct Line: Sendable {
        /// The line that the pin is for.
        let pinned: SNPProduct
        /// Whether productName and the issuers' names are about no other.
        let isOne: Bool
        /// Who says what, for findings.
        let sources: String
    }

    /// Whether both findings are ok, so that the chain may be remembered.
    var isSound: Bool { chainFinding.outcome == .ok && rootFinding.outcome == .ok }

    /// Judges a leaf and its issuers; `missing` says what is not there or cannot be read.
    init(
        leaf: EndorsementCertificate?, issuers: IssuerChain?, missing: [String],
        anchors: [TrustAnchor]
    ) {
        self.leaf = leaf
        certificates = [leaf?.certificate, issuers?.intermediate, issuers?.root].compactMap { $0 }
        anchor = anchors.first { $0.keyDigest == issuers?.root.subjectPublicKeyInfoDigest }
        var faults = missing
        if let leaf { faults += Self.faults(of: leaf, issuers: issuers) }
        faults += issuers?.faults ?? []
        let names = certificates.map(\.subjectCommonName).joined(separator: " <- ")
        chainFinding = SNPCheck.chain.finding(
            faults.isEmpty, expected: "VCEK <- ASK <- ARK, or VLEK <- ASVK <- ARK",
            actual: faults.isEmpty ? names : faults.joined(separator: "; "))
        rootFinding = Self.rootFinding(anchor, issuers?.root, anchors)
        line =
            if let leaf, let issuers, let anchor {
                Self.line(leaf, [issuers.intermediate, issuers.root], anchor)
            } else {
                nil
            }
    }

    private static func line(
        _ leaf: EndorsementCertificate, _ issuers: [X509Certificate], _ anchor: TrustAnchor
    ) -> Line? {
        guard let pinned = anchor.product else { return nil }
        let name = "certificate \(leaf.productName ?? "without productName")"
        var sources: [(source: String, product: SNPProduct?)] = [(name, leaf.product)]
        for issuer in issuers {
            let name = issuer.subjectCommonName
            let line = name.split(separator: "-").last.map(String.init) ?? name
            sources.append((name, SNPProduct(rawValue: line)))
        }
        return Line(
            pinned: pinned, isOne: sources.allSatisfy { $0.product == pinned },
            sources: (sources.map(\.source) + ["pin \(anchor.name)"]).joined(separator: ", "))
    }

    private static func faults(
        of leaf: EndorsementCertificate, issuers: IssuerChain?
    ) -> [String] {
        var faults: [String] = []
        if leaf.kind == nil {
            let name = leaf.certificate.subjectCommonName
            faults.append("the leaf is `\(name)`, neither SEV-VCEK nor SEV-VLEK")
        }
        if leaf.certificate.basicConstraintsCA {
            faults.append("the leaf may sign certificates (basic constraints)")
        }
        guard let issuers else { return faults }
        faults += IssuerChain.faults(
            of: leaf.certificate, "leaf", issuer: issuers.intermediate, "the intermediate")
        // An ASVK must not vouch for a VCEK, nor an ASK for a VLEK.
        let lines = SNPProduct.allCases.map(\.rawValue)
        let prefix = leaf.kind == .vlek ? "SEV-VLEK-" : "SEV-"
        let intermediate = issuers.intermediate.subjectCommonName
        if !lines.contains(where: { intermediate == prefix + $0 }) {
            faults.append("the intermediate is `\(intermediate)`, not one for a \(leaf.kindName)")
        }
        let root = issuers.root.subjectCommonName
        if !lines.contains(where: { root == "ARK-" + $0 }) {
            faults.append("the root is `\(root)`, not an ARK")
        }
        return faults
    }

    private static func rootFinding(
        _ anchor: TrustAnchor?, _ root: X509Certificate?, _ anchors: [TrustAnchor]
    ) -> Finding {
        let pins = anchors.map { "\($0.name) \($0.keyDigest.hex)" }.joined(separator: ", ")
        let expected = anchors.isEmpty ? "a pinned key; none is configured" : "one of \(pins)"
        guard let root else {
            return SNPCheck.root.notChecked(expected: expected, because: "no chain up to a root")
        }
        if let anchor {
            let pin = "\(anchor.name) \(anchor.keyDigest.hex)"
            return SNPCheck.root.finding(true, expected: pin, actual: pin)
        }
        return SNPCheck.root.finding(
            false, expected: expected,
            actual: "\(root.subjectCommonName) \(root.subjectPublicKeyInfoDigest.hex)")
    }
}
