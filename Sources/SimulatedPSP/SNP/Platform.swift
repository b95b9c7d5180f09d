import Bytes
import Evidence
import Linux
import OpenSSL

/// A simulated chip: what its endorsement certificate says of it.
struct Platform: Equatable {
    let product: SNPProduct
    /// The kind of key that signs its reports: VCEK or VLEK.
    let keyKind: SNPSigningKey
    var tcb: SimulatedTCB
    /// CHIP_ID: 64 bytes, or 8 and zeros from Turin on.
    let chipID: FixedBytes<64>

    /// cspID of a simulated VLEK.
    static let provider = "CN=rehearsal.bootgate.invalid"

    /// A chip that never was before, unless `chipID` names one.
    init(
        product: SNPProduct, keyKind: SNPSigningKey, tcb: SimulatedTCB,
        chipID: FixedBytes<64>? = nil
    ) {
        self.product = product
        self.keyKind = keyKind
        self.tcb = tcb
        var fresh = FixedBytes<64>()
        for (index, byte) in Random.bytes(product == .turin ? 8 : 64).enumerated() {
            fresh[index] = byte
        }
        self.chipID = chipID ?? fresh
    }

    /// CHIP_ID as it stands in reports: hosts with a VLEK hide their chips.
    var reportedChipID: FixedBytes<64> { keyKind == .vlek ? FixedBytes() : chipID }

    /// The serial number of its endorsement certificate: positive, without a leading zero.
    var certificateSerial: [UInt8] {
        [chipID[0] & 0x3f | 0x40] + chipID.bytes[1..<8]
    }

    /// The extensions of AMD publication 57230, in the order and encoding of real certificates.
    var certificateExtensions: [CertificateTemplate.Extension] {
        let isTurin = product == .turin
        let productName =
            keyKind == .vcek && product == .milan ? "Milan-B0" : product.rawValue
        var extensions = [
            Self.make("1", Self.integer(isTurin ? 1 : 0)),
            Self.make("2", Self.text(productName)),
        ]
        if isTurin { extensions.append(level(.fmc, "3.9")) }
        extensions.append(level(.bootloader, "3.1"))
        extensions.append(level(.tee, "3.2"))
        extensions.append(level(.snp, "3.3"))
        // spl4 to spl7 are reserved and zero; Turin's certificates have no spl4.
        for reserved in isTurin ? 5...7 : 4...7 {
            extensions.append(Self.make("3.\(reserved)", Self.integer(0)))
        }
        extensions.append(level(.microcode, "3.8"))
        extensions.append(
            keyKind == .vlek
                ? Self.make("5", Self.text(Self.provider))
                : Self.make("4", Array(chipID.bytes.prefix(isTurin ? 8 : 64))))
        return extensions
    }

    private func level(_ component: TCBComponent, _ arc: String) -> CertificateTemplate.Extension {
        Self.make(arc, Self.integer(tcb.values[component, default: 0]))
    }

    private static func make(_ arc: String, _ value: [UInt8]) -> CertificateTemplate.Extension {
        CertificateTemplate.Extension(oid: "1.3.6.1.4.1.3704.1.\(arc)", value: value)
    }

    /// A DER INTEGER: positive, so a set top bit takes a zero byte before it.
    private static func integer(_ value: UInt8) -> [UInt8] {
        value < 0x80 ? [0x02, 1, value] : [0x02, 2, 0, value]
    }

    /// A DER IA5String of less than 128 characters.
    private static func text(_ value: String) -> [UInt8] {
        [0x16, UInt8(value.utf8.count)] + Array(value.utf8)
    }
}
