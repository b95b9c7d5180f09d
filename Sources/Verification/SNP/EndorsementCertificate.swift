import Bytes
import Evidence
import OpenSSL

/// A VCEK or VLEK certificate with AMD's extensions read; nothing in it is believed yet.
///
/// Extensions: AMD publication 57230, "VCEK Certificate and KDS Interface Specification".
struct EndorsementCertificate: Sendable {
    let certificate: X509Certificate
    /// By the subject's name; nil for a certificate of neither kind.
    let kind: SNPSigningKey?
    /// productName, such as `Milan-B0`.
    let productName: String?
    /// The processor line by ``productName``, whose stepping after the hyphen does not matter here.
    let product: SNPProduct?
    /// hwID: 64 bytes, or 8 from Turin on; nil where it is absent.
    let hardwareID: [UInt8]?
    /// cspID: the cloud provider that a VLEK was lent to; nil where it is absent.
    let providerID: String?
    /// The SPL extensions that are there and well-formed.
    let levels: [TCBComponent: UInt8]
    /// hwID as CHIP_ID has it, zeros behind the eight bytes of Turin; nil for a VLEK and for an hwID of
    /// another length than the line's.
    let chip: FixedBytes<64>?
    /// hwID and the levels of the line's components for findings, written once for all reports.
    let hardwareIDText: String
    /// As ``TCBVersion`` writes them.
    let levelText: String

    private static let productNameOID = "1.3.6.1.4.1.3704.1.2"
    private static let hardwareIDOID = "1.3.6.1.4.1.3704.1.4"
    private static let providerIDOID = "1.3.6.1.4.1.3704.1.5"
    private static let levelOIDs: [(component: TCBComponent, oid: String)] = [
        (.bootloader, "1.3.6.1.4.1.3704.1.3.1"),
        (.tee, "1.3.6.1.4.1.3704.1.3.2"),
        (.snp, "1.3.6.1.4.1.3704.1.3.3"),
        (.microcode, "1.3.6.1.4.1.3704.1.3.8"),
        (.fmc, "1.3.6.1.4.1.3704.1.3.9"),
    ]

    init(_ certificate: X509Certificate) {
        self.certificate = certificate
        kind =
            switch certificate.subjectCommonName {
            case "SEV-VCEK": .vcek
            case "SEV-VLEK": .vlek
            default: nil
            }
        productName = certificate.extensionValue(oid: Self.productNameOID).flatMap(Self.text)
        product = productName.flatMap { name in
            SNPProduct(rawValue: String(name.prefix { $0 != "-" }))
        }
        hardwareID = certificate.extensionValue(oid: Self.hardwareIDOID).map(Self.unwrapped)
        // One that is there and cannot be read must not look absent.
        providerID = certificate.extensionValue(oid: Self.providerIDOID)
            .map { Self.text($0) ?? "unreadable" }
        var levels: [TCBComponent: UInt8] = [:]
        for (component, oid) in Self.levelOIDs {
            levels[component] = certificate.extensionValue(oid: oid).flatMap(Self.level)
        }
        self.levels = levels
        let size = product == .turin ? 8 : 64
        hardwareIDText = "hwID \(Hex.encode(hardwareID ?? [])) of \(size) bytes"
        levelText = (product?.components ?? [])
            .map { "\($0.rawValue) \(levels[$0].map { "\($0)" } ?? "missing")" }
            .joined(separator: ", ")
        chip =
            if kind != .vlek, let hardwareID, hardwareID.count == size {
                FixedBytes(hardwareID + Array(repeating: 0, count: 64 - size))
            } else {
                nil
            }
    }

    /// `VCEK` or `VLEK`, for findings.
    var kindName: String { kind?.rawValue.uppercased() ?? "certificate" }

    /// The kind, and of a VLEK whom it was lent to, for findings.
    var kindText: String { providerID.map { "\(kindName) of \($0)" } ?? kindName }

    /// A DER INTEGER of 0 to 255 in its one canonical form.
    private static func level(_ der: [UInt8]) -> UInt8? {
        switch (der.count, der.prefix(2)) {
        case (3, [0x02, 0x01]): der[2] < 0x80 ? der[2] : nil
        case (4, [0x02, 0x02]): der[2] == 0 && der[3] >= 0x80 ? der[3] : nil
        default: nil
        }
    }

    /// A short DER IA5String of printable characters.
    private static func text(_ der: [UInt8]) -> String? {
        guard der.count >= 2, der[0] == 0x16, der[1] < 0x80, der.count == 2 + Int(der[1]),
            der.dropFirst(2).allSatisfy({ (0x20...0x7e).contains($0) })
        else { return nil }
        return String(decoding: der.dropFirst(2), as: UTF8.self)
    }

    /// hwID is raw bytes by the document; some certificates wrap them in an OCTET STRING.
    private static func unwrapped(_ value: [UInt8]) -> [UInt8] {
        let isWrapped = value.count == 66 && value.starts(with: [0x04, 64])
        return isWrapped ? Array(value.dropFirst(2)) : value
    }
}
