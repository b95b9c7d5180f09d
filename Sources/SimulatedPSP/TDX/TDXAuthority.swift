import Bytes
import Linux
import OpenSSL

/// A root, a PCK CA and a TCB signer shaped like Intel's, with their private keys.
///
/// Names of the subjects are Intel's, since those are what a verifier looks at; the organisation says
/// what it really is.
final class TDXAuthority: Sendable {
    /// Who has a certificate.
    enum Member: String, CaseIterable {
        case root, platformCA = "pck-ca", tcbSigner = "tcb-signer"

        var commonName: String {
            switch self {
            case .root: "Intel SGX Root CA"
            case .platformCA: "Intel SGX PCK Platform CA"
            case .tcbSigner: "Intel SGX TCB Signing"
            }
        }

        /// Years for which the certificate is valid.
        var years: Int64 {
            switch self {
            case .root: 30
            case .platformCA: 15
            case .tcbSigner: 7
            }
        }
    }

    let rootKey: SigningKey
    let platformCAKey: SigningKey
    let tcbSignerKey: SigningKey
    /// DER.
    let root: [UInt8]
    let platformCA: [UInt8]
    let tcbSigner: [UInt8]

    private static let day: Int64 = 86400

    init(
        rootKey: consuming SigningKey, platformCAKey: consuming SigningKey,
        tcbSignerKey: consuming SigningKey, root: [UInt8], platformCA: [UInt8], tcbSigner: [UInt8]
    ) {
        self.rootKey = rootKey
        self.platformCAKey = platformCAKey
        self.tcbSignerKey = tcbSignerKey
        self.root = root
        self.platformCA = platformCA
        self.tcbSigner = tcbSigner
    }

    /// Makes three keys and certificates that began a day before `now`.
    convenience init(now: Int64) throws(CryptoError) {
        let rootKey = try SigningKey.generate(.p256)
        let platformCAKey = try SigningKey.generate(.p256)
        let tcbSignerKey = try SigningKey.generate(.p256)
        let root = try CertificateIssuer.issue(
            Self.template(.root, now: now), subjectKey: rootKey, issuerKey: rootKey)
        let platformCA = try CertificateIssuer.issue(
            Self.template(.platformCA, now: now), subjectKey: platformCAKey, issuerKey: rootKey)
        let tcbSigner = try CertificateIssuer.issue(
            Self.template(.tcbSigner, now: now), subjectKey: tcbSignerKey, issuerKey: rootKey)
        self.init(
            rootKey: rootKey, platformCAKey: platformCAKey, tcbSignerKey: tcbSignerKey,
            root: root, platformCA: platformCA, tcbSigner: tcbSigner)
    }

    /// DER of the PCK certificate of `platform`.
    func endorse(
        _ platform: TDXPlatform, key: borrowing SigningKey, now: Int64
    ) throws(CryptoError) -> [UInt8] {
        try CertificateIssuer.issue(
            Self.pckTemplate(platform, now: now), subjectKey: key, issuerKey: platformCAKey)
    }

    static func name(_ commonName: String) -> CertificateTemplate.Name {
        CertificateTemplate.Name(commonName: commonName, organization: Authority.organization)
    }

    /// Serial numbers that tell the three apart.
    static func template(_ member: Member, now: Int64) -> CertificateTemplate {
        let serial: UInt8 =
            switch member {
            case .root: 1
            case .platformCA: 2
            case .tcbSigner: 3
            }
        var template = CertificateTemplate(
            subject: name(member.commonName), issuer: name(Member.root.commonName),
            serial: [serial], notBefore: now - day, notAfter: now + member.years * 365 * day,
            signature: .ecdsaSHA256)
        template.isCA = member != .tcbSigner
        if member == .tcbSigner { template.extensions = leafUsage }
        return template
    }

    /// The template of a PCK certificate.
    static func pckTemplate(_ platform: TDXPlatform, now: Int64) -> CertificateTemplate {
        // A positive number without a leading zero, its own for each platform.
        var serial = Array(platform.ppid.bytes)
        serial[0] = serial[0] & 0x7f | 0x40
        var template = CertificateTemplate(
            subject: name("Intel SGX PCK Certificate"),
            issuer: name(Member.platformCA.commonName), serial: serial, notBefore: now - day,
            notAfter: now + 7 * 365 * day, signature: .ecdsaSHA256)
        template.extensions =
            leafUsage + [
                CertificateTemplate.Extension(
                    oid: "1.2.840.113741.1.13.1", value: platform.certificateExtension)
            ]
        return template
    }

    /// digitalSignature and nonRepudiation; no CA.
    private static let leafUsage = [
        CertificateTemplate.Extension(
            oid: "2.5.29.15", value: [3, 2, 6, 0xc0], isCritical: true),
        CertificateTemplate.Extension(oid: "2.5.29.19", value: [0x30, 0], isCritical: true),
    ]

    /// A chain as PCS and quotes carry it: PEM, one certificate after the other.
    static func pem(_ certificates: [[UInt8]]) -> [UInt8] {
        certificates.flatMap { Self.pem($0) }
    }

    private static func pem(_ der: [UInt8]) -> [UInt8] {
        let base64 = Array(Base64.encode(der).utf8)
        var text = "-----BEGIN CERTIFICATE-----\n"
        for start in stride(from: 0, to: base64.count, by: 64) {
            let line = base64[start..<min(start + 64, base64.count)]
            text += String(decoding: line, as: UTF8.self) + "\n"
        }
        return Array((text + "-----END CERTIFICATE-----\n").utf8)
    }
}
