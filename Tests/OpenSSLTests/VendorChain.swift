import Bytes
import OpenSSL

/// A chain shaped like AMD's: ARK (itself), ASK, VCEK; made once, since RSA-4096 keys take a while.
final class VendorChain {
    let root: X509Certificate
    let intermediate: X509Certificate
    let chip: X509Certificate
    let chipKey: SigningKey

    static let hardwareID = [UInt8](repeating: 0xc1, count: 64)

    init() throws {
        let rootKey = try SigningKey.generate(.rsa4096)
        let intermediateKey = try SigningKey.generate(.rsa4096)
        let chipKey = try SigningKey.generate(.p384)

        var root = Self.template("ARK-Test", by: "ARK-Test", serial: 1)
        root.isCA = true
        var intermediate = Self.template("SEV-Test", by: "ARK-Test", serial: 2)
        intermediate.isCA = true
        var chip = Self.template("SEV-VCEK", by: "SEV-Test", serial: 0)
        chip.extensions = [
            .init(oid: "1.3.6.1.4.1.3704.1.3.1", value: [2, 1, 4]),
            .init(oid: "1.3.6.1.4.1.3704.1.4", value: Self.hardwareID),
        ]
        let rootCertificate = try X509Certificate(
            der: CertificateIssuer.issue(root, subjectKey: rootKey, issuerKey: rootKey))
        let intermediateCertificate = try X509Certificate(
            der: CertificateIssuer.issue(
                intermediate, subjectKey: intermediateKey, issuerKey: rootKey))
        let chipCertificate = try X509Certificate(
            der: CertificateIssuer.issue(chip, subjectKey: chipKey, issuerKey: intermediateKey))
        self.root = rootCertificate
        self.intermediate = intermediateCertificate
        self.chip = chipCertificate
        self.chipKey = chipKey
    }

    static func template(_ subject: String, by issuer: String, serial: UInt8) -> CertificateTemplate
    {
        CertificateTemplate(
            subject: .init(commonName: subject, organization: "Advanced Test Devices"),
            issuer: .init(commonName: issuer, organization: "Advanced Test Devices"),
            serial: [0x12, serial], notBefore: 1_600_000_000, notAfter: 2_600_000_000,
            signature: .rsaPSSSHA384)
    }
}
