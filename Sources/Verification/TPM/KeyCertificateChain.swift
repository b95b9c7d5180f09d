import Bytes
import Evidence
import OpenSSL
import Policy

/// What a certificate of a TPM's key is for.
enum KeyCertificateUse {
    /// Of an attestation key, which signs.
    case attestation
    /// Of an endorsement key, which secrets are sent to.
    case endorsement
}

/// The certificates of a TPM's key, leaf first, judged for one use at one time.
///
/// RFC 5280, sections 4.2.1 and 6.1, as far as it has a meaning here; TCG EK Credential Profile, section
/// 3.2. Only the root's key is pinned. Names are chained by the issuers' names, byte for byte.
struct KeyCertificateChain {
    let certificates: [X509Certificate]
    let use: KeyCertificateUse
    let anchors: [TrustAnchor]
    let revocationLists: [X509CRL]
    /// Unix seconds, by the verifier's own clock.
    let time: Int64

    /// The longest chain that is looked at; what comes from vendors has three or four.
    static let maximumCount = 8

    private static let endorsementKeyPurpose = "2.23.133.8.1"
    private static let attestationKeyPurpose = "2.23.133.8.3"

    /// The four findings, in the order of ``TPMCheck``.
    var findings: [Finding] { [chain, root, dates, revocation] }

    /// The four findings where a key has no certificates.
    static func absent(_ reason: String) -> [Finding] {
        let checks: [(TPMCheck, String)] = [
            (.keyChain, "a sound chain"), (.keyRoot, "a pinned key"),
            (.keyDates, "valid certificates"), (.keyRevocation, "no certificate is taken back"),
        ]
        return checks.map { $0.0.notChecked(expected: $0.1, because: reason) }
    }

    private var anchor: TrustAnchor? {
        guard let last = certificates.last else { return nil }
        let family: TrustAnchor.Family = use == .attestation ? .attestationKey : .endorsementKey
        return anchors.first {
            $0.family == family && $0.keyDigest == last.subjectPublicKeyInfoDigest
        }
    }

    private var chain: Finding {
        let expected = "each signed by the next, fit for it"
        guard let leaf = certificates.first, certificates.count <= Self.maximumCount else {
            return TPMCheck.keyChain.finding(
                false, expected: "1 to \(Self.maximumCount) certificates",
                actual: "\(certificates.count)")
        }
        var faults = leafFaults(leaf)
        for (depth, pair) in zip(certificates, certificates.dropFirst()).enumerated() {
            faults += Self.faults(of: pair.0, issuer: pair.1, below: depth)
        }
        for certificate in certificates {
            let name = certificate.displayName
            if certificate.hasUnreadableExtension {
                faults.append("`\(name)` has a critical or malformed extension that is not known")
            }
            // The root's own signature proves nothing: its key is pinned.
            if certificate.signatureHash == nil || certificate.signatureHash == .sha1,
                certificate.der != certificates.last?.der || certificates.count == 1
            {
                faults.append("`\(name)` is not signed over SHA-2")
            }
        }
        let names = certificates.map(\.displayName).joined(separator: " <- ")
        return TPMCheck.keyChain.finding(
            faults.isEmpty, expected: expected,
            actual: faults.isEmpty ? names : faults.joined(separator: "; "))
    }

    private func leafFaults(_ leaf: X509Certificate) -> [String] {
        var faults: [String] = []
        if leaf.basicConstraintsCA { faults.append("the leaf may sign certificates") }
        let wanted: X509Certificate.KeyUsage =
            use == .attestation ? .digitalSignature : [.keyEncipherment, .keyAgreement]
        if leaf.keyUsage?.isDisjoint(with: wanted) ?? true {
            faults.append(
                use == .attestation
                    ? "the leaf is not for digitalSignature"
                    : "the leaf is not for keyEncipherment or keyAgreement")
        }
        // Google's older attestation keys are certified with the purpose of endorsement keys.
        let purposes =
            use == .attestation
            ? [Self.attestationKeyPurpose, Self.endorsementKeyPurpose]
            : [Self.endorsementKeyPurpose]
        if let named = leaf.extendedKeyUsage, !named.contains(where: purposes.contains) {
            faults.append("the leaf is for \(named.joined(separator: ", ")) only")
        }
        return faults
    }

    private static func faults(
        of certificate: X509Certificate, issuer: X509Certificate, below depth: Int
    ) -> [String] {
        var faults: [String] = []
        let name = issuer.displayName
        if !certificate.isSigned(by: issuer) {
            faults.append("`\(certificate.displayName)` is not signed by `\(name)`")
        }
        if !issuer.basicConstraintsCA { faults.append("`\(name)` may not sign certificates") }
        if let usage = issuer.keyUsage, !usage.contains(.certificateSign) {
            faults.append("`\(name)` is not for signing certificates")
        }
        if let length = issuer.pathLength, length < depth {
            faults.append("`\(name)` allows \(length) issuers below it, there are \(depth)")
        }
        return faults
    }

    private var root: Finding {
        let family: TrustAnchor.Family = use == .attestation ? .attestationKey : .endorsementKey
        let pins = anchors.filter { $0.family == family }
            .map { "\($0.name) \($0.keyDigest.hex)" }.joined(separator: ", ")
        let expected = pins.isEmpty ? "a pinned key; none is configured" : "one of \(pins)"
        let actual = certificates.last.map {
            "\($0.displayName) \($0.subjectPublicKeyInfoDigest.hex)"
        }
        // A leaf whose own key is pinned would need no issuer, and nobody pins leaves.
        return TPMCheck.keyRoot.finding(
            anchor != nil && certificates.count > 1, expected: expected, actual: actual ?? "none")
    }

    private var dates: Finding {
        let expected = "valid at \(ISO8601.text(time))"
        let invalid = certificates.filter { !$0.isValid(at: time) }
        guard let ending = certificates.min(by: { $0.notAfter < $1.notAfter }), invalid.isEmpty
        else {
            let spans = invalid.map { certificate in
                "\(certificate.displayName) is valid from \(ISO8601.text(certificate.notBefore)) "
                    + "until \(ISO8601.text(certificate.notAfter))"
            }
            return TPMCheck.keyDates.finding(
                false, expected: expected,
                actual: spans.isEmpty ? "no certificate" : spans.joined(separator: "; "))
        }
        return TPMCheck.keyDates.finding(
            true, expected: expected,
            actual: "all, \(ending.displayName) until \(ISO8601.text(ending.notAfter))")
    }

    /// Ok only if every certificate below the root was looked for on a current list of its issuer.
    private var revocation: Finding {
        let expected = "no certificate is on its issuer's revocation list"
        var missing: [String] = []
        for (certificate, issuer) in zip(certificates, certificates.dropFirst()) {
            let own = revocationLists.filter { $0.covers(certificate) && $0.isSigned(by: issuer) }
            if own.contains(where: { $0.revokes(certificate) }) {
                return TPMCheck.keyRevocation.finding(
                    false, expected: expected,
                    actual: "`\(certificate.displayName)` (serial \(certificate.serialHex)) is")
            }
            if !own.contains(where: { $0.isCurrent(at: time) }) {
                missing.append(certificate.displayName)
            }
        }
        guard missing.isEmpty, certificates.count > 1 else {
            return TPMCheck.keyRevocation.notChecked(
                expected: expected,
                because: "no current list for \(missing.joined(separator: ", "))")
        }
        return TPMCheck.keyRevocation.finding(true, expected: expected, actual: "none is")
    }
}

extension X509Certificate {
    /// The subject's name, or the serial number of one without a name, as keys of TPMs have none.
    fileprivate var displayName: String {
        subjectCommonName.isEmpty ? "serial \(serialHex)" : subjectCommonName
    }
}
