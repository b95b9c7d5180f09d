import Bytes
import Evidence
import OpenSSL

/// RSA keys of a vendor that signs for all lines: making them takes seconds, so they are made once.
final class SNPVendor: Sendable {
    private let root: SecretBytes
    private let intermediate: SecretBytes
    private let stranger: SecretBytes
    let now: Int64

    init(now: Int64) throws(CryptoError) {
        root = try SigningKey.generate(.rsa4096).pem()
        intermediate = try SigningKey.generate(.rsa4096).pem()
        stranger = try SigningKey.generate(.rsa4096).pem()
        self.now = now
    }

    /// The issuers of a line.
    func authority(
        _ product: SNPProduct, _ kind: SNPSigningKey
    ) throws(CryptoError) -> Authority {
        try Authority(
            product: product, keyKind: kind, rootKey: try SigningKey(pem: root),
            intermediateKey: try SigningKey(pem: intermediate), now: now)
    }

    /// Issuers of the same names with other keys.
    func strangers(
        _ product: SNPProduct, _ kind: SNPSigningKey
    ) throws(CryptoError) -> Authority {
        try Authority(
            product: product, keyKind: kind, rootKey: try SigningKey(pem: stranger),
            intermediateKey: try SigningKey(pem: stranger), now: now)
    }

    /// An RSA key that no certificate is about, such as that of a vTPM.
    func vTPMKey() throws(CryptoError) -> SigningKey { try SigningKey(pem: stranger) }
}

/// One chip with its certificates among the vectors' files.
struct VectorChip {
    let platform: Platform
    let key: SigningKeyHolder
    let certificate: [UInt8]
    /// The files that go with each report: leaf, intermediate, root.
    let files: [(path: String, role: String)]
    let root: String

    /// A P-384 key that can be passed around.
    final class SigningKeyHolder: Sendable {
        let key: SigningKey
        init() throws(CryptoError) { key = try SigningKey.generate(.p384) }
    }

    init(
        _ product: SNPProduct, _ kind: SNPSigningKey, vendor: SNPVendor, seed: VectorSeed,
        set: inout VectorSet, folder: String? = nil
    ) throws {
        let name = "\(product.rawValue.lowercased())-\(kind.rawValue)"
        let folder = folder ?? "snp/\(name)"
        var chipID = FixedBytes<64>()
        let size = product == .turin ? 8 : 64
        for (index, byte) in seed.bytes("chip \(name)", count: size).enumerated() {
            chipID[index] = byte
        }
        platform = Platform(
            product: product, keyKind: kind, tcb: SimulatedTCB(product: product), chipID: chipID)
        key = try SigningKeyHolder()
        let authority = try vendor.authority(product, kind)
        certificate = try authority.endorse(platform, key: key.key, now: vendor.now)
        let (issuer, leaf) = kind == .vlek ? ("asvk", "vlek") : ("ask", "vcek")
        root = set.file("\(folder)/ark.der", authority.certificates.root)
        files = [
            (set.file("\(folder)/\(leaf).der", certificate), "\(leaf)-der"),
            (
                set.file("\(folder)/\(issuer).der", authority.certificates.intermediate),
                "\(issuer)-der"
            ),
            (root, "ark-der"),
        ]
    }

    /// A launch on this chip.
    func template(version: UInt32, seed: VectorSeed) -> ReportTemplate {
        ReportTemplate(
            version: version, product: platform.product, policy: 0x30000,
            isSignedByVLEK: platform.keyKind == .vlek, tcb: platform.tcb.raw,
            measurement: seed.fixed("measurement"), hostData: seed.fixed("host data"),
            reportID: seed.fixed("report id"), chipID: platform.reportedChipID)
    }

    /// A report of 1184 bytes.
    func report(
        _ template: ReportTemplate, reportData: [UInt8], vmpl: UInt32 = 0
    ) throws(CryptoError) -> [UInt8] {
        let signed = template.signedBytes(reportData: reportData, vmpl: vmpl)
        let (r, s) = try key.key.signP384SHA384(signed)
        return ReportTemplate.report(
            signedBytes: signed, littleEndianR: r.reversed(), littleEndianS: s.reversed())
    }
}
