import OpenSSL

/// An intermediate and a root, judged together: what any number of leaves hang on.
final class IssuerChain: Sendable {
    let intermediate: X509Certificate
    let root: X509Certificate
    /// What is wrong with them; empty for a sound pair.
    let faults: [String]

    /// Checks both signatures, which is the dear part.
    init(intermediate: X509Certificate, root: X509Certificate) {
        self.intermediate = intermediate
        self.root = root
        var faults = Self.faults(of: intermediate, "intermediate", issuer: root, "the root")
        faults += Self.faults(of: root, "root", issuer: root, "itself")
        for (role, certificate, depth) in [("intermediate", intermediate, 0), ("root", root, 1)] {
            let reasons = certificate.issuerFaults(depth: depth)
            guard !reasons.isEmpty else { continue }
            faults.append(
                "the \(role) may not sign certificates: \(reasons.joined(separator: ", "))")
        }
        self.faults = faults
    }

    /// What is wrong with one certificate's extensions and signature, whose scheme is looked at first,
    /// since a weaker one under the same key is none of AMD's.
    static func faults(
        of certificate: X509Certificate, _ role: String, issuer: X509Certificate, _ name: String
    ) -> [String] {
        guard !certificate.hasUnreadableExtension, certificate.otherCriticalExtensions.isEmpty
        else { return ["the \(role) has a critical or malformed extension that is not known"] }
        guard certificate.signatureIsRSAPSSSHA384 else {
            return ["the \(role) is not signed by RSASSA-PSS with SHA-384"]
        }
        guard certificate.isSigned(by: issuer) else {
            return [
                "the \(role) (\(certificate.subjectCommonName), issued by "
                    + "\(certificate.issuerCommonName)) is not signed by \(name) "
                    + "(\(issuer.subjectCommonName))"
            ]
        }
        return []
    }
}
