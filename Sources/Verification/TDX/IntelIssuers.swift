import Bytes
import OpenSSL

/// Who signs under Intel's root, by the names that Intel gives them
/// (Intel SGX PCK Certificate and CRL Profile Specification, sections 1.3 and 1.4).
enum IntelRole: Sendable {
    /// The PCK of one platform.
    case pck
    /// A CA for PCKs: of single processors, or of platforms with several.
    case pckCA
    /// TCB infos and identities.
    case tcbSigning
    /// The root of all.
    case root

    var names: [String] {
        switch self {
        case .pck: ["Intel SGX PCK Certificate"]
        case .pckCA: ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"]
        case .tcbSigning: ["Intel SGX TCB Signing"]
        case .root: ["Intel SGX Root CA"]
        }
    }

    /// How many CAs may stand below; nil for a certificate that may sign none.
    private var depth: Int? {
        switch self {
        case .pck, .tcbSigning: nil
        case .pckCA: 0
        case .root: 1
        }
    }

    /// What is wrong with `certificate` in this role under `issuer`.
    func faults(of certificate: X509Certificate, issuer: X509Certificate) -> [String] {
        let name = certificate.subjectCommonName
        var faults: [String] = []
        if !names.contains(name) {
            faults.append("`\(name)` is not \(names.joined(separator: " or "))")
        }
        if let depth {
            let reasons = certificate.issuerFaults(depth: depth)
            if !reasons.isEmpty {
                faults.append(
                    "`\(name)` may not sign certificates: \(reasons.joined(separator: ", "))")
            }
        } else if certificate.basicConstraintsCA {
            faults.append("`\(name)` may sign certificates")
        }
        if certificate.hasUnreadableExtension || !certificate.otherCriticalExtensions.isEmpty {
            faults.append("`\(name)` has a critical or malformed extension that is not known")
        }
        if certificate.signatureHash != .sha256 || !certificate.isSigned(by: issuer) {
            faults.append(
                "`\(name)` (issued by \(certificate.issuerCommonName)) is not signed by "
                    + "`\(issuer.subjectCommonName)` with ECDSA and SHA-256")
        }
        return faults
    }
}

/// A certificate that signs itself, judged.
final class IntelRoot: Sendable {
    let certificate: X509Certificate
    /// What is wrong with it; empty for a sound one.
    let faults: [String]
    /// The pin that its key has; nil where it has none.
    let anchor: TrustAnchor?

    var isSound: Bool { faults.isEmpty && anchor != nil }

    /// Checks the signature.
    init(_ certificate: X509Certificate, anchors: [TrustAnchor]) {
        self.certificate = certificate
        anchor = anchors.first { $0.keyDigest == certificate.subjectPublicKeyInfoDigest }
        faults = IntelRole.root.faults(of: certificate, issuer: certificate)
    }
}

/// A certificate and the root right above it, judged together: what leaves, documents and lists hang on.
final class IntelIssuers: Sendable {
    let certificate: X509Certificate
    /// What is wrong with them; empty for a sound pair.
    let faults: [String]
    /// The certificate's key; nil unless it can be read.
    let key: VerificationKey?

    private let judgedRoot: IntelRoot

    var root: X509Certificate { judgedRoot.certificate }
    /// The pin that the root's key has; nil where it has none.
    var anchor: TrustAnchor? { judgedRoot.anchor }
    var isSound: Bool { faults.isEmpty && anchor != nil }

    /// Checks the signature of `certificate`, which is the dear part.
    init(_ certificate: X509Certificate, as role: IntelRole, root: IntelRoot) {
        self.certificate = certificate
        judgedRoot = root
        key = try? VerificationKey(of: certificate)
        var faults = role.faults(of: certificate, issuer: root.certificate) + root.faults
        if key?.kind != .p256 { faults.append("the key of the issuer is not on P-256") }
        self.faults = faults
    }
}

/// The parts of a text of certificates, not looked into.
enum CertificateList {
    /// DER of each of 1 to `maximum` certificates in their order; nil for anything else.
    ///
    /// Quotes carry PEM with the leaf first. Intel's own sample quotes carry DER with the root first:
    /// the order is told by the certificates themselves.
    static func split(_ bytes: [UInt8], atMost maximum: Int) -> [[UInt8]]? {
        bytes.first == 0x30
            ? der(bytes, atMost: maximum) : PEM.certificates(bytes, atMost: maximum)
    }

    private static func der(_ bytes: [UInt8], atMost maximum: Int) -> [[UInt8]]? {
        var rest = bytes[...]
        var certificates: [[UInt8]] = []
        while let first = rest.first {
            // Every certificate is longer than 255 bytes and shorter than 64 KiB.
            guard certificates.count < maximum, rest.count >= 4, first == 0x30,
                rest[rest.startIndex + 1] == 0x82
            else { return nil }
            let length = Int(rest[rest.startIndex + 2]) << 8 | Int(rest[rest.startIndex + 3])
            guard length <= rest.count - 4 else { return nil }
            certificates.append(Array(rest.prefix(4 + length)))
            rest = rest.dropFirst(4 + length)
        }
        return certificates.isEmpty ? nil : certificates
    }
}
