import Bytes

/// Writes the certificate table that a host hands to its guest with an extended report.
///
/// Layout: AMD publication 56421 (GHCB), section "SNP Extended Guest Request": entries of 24 bytes
/// (GUID, offset u32, length u32), an entry of zeros, then the certificates in DER.
enum CertificateTableWriter {
    static let vcek = guid("63da758d-e664-4564-adc5-f4b93be8accd")
    static let vlek = guid("a8074bc2-a25a-483e-aae6-39c045a0b8a1")
    static let ask = guid("4ab7b379-bbac-4fe4-a02f-05aef327c782")
    static let ark = guid("c0b406a4-a803-4952-9743-3fb6014cd0ae")
    static let crl = guid("92f81bc3-5811-4d3d-97ff-d19f88dc67ea")

    /// The table that holds `certificates`, or a revocation list among them, in their order.
    static func table(_ certificates: [(guid: [UInt8], der: [UInt8])]) -> [UInt8] {
        var table = ByteWriter()
        var offset = 24 * (certificates.count + 1)
        for certificate in certificates {
            table.raw(certificate.guid)
            table.littleEndian(UInt32(offset))
            table.littleEndian(UInt32(certificate.der.count))
            offset += certificate.der.count
        }
        table.zeros(24)
        for certificate in certificates {
            table.raw(certificate.der)
        }
        return table.bytes
    }

    /// The 16 bytes of a GUID in the order of its text, as real tables have them.
    private static func guid(_ text: String) -> [UInt8] {
        Hex.decode(text.filter { $0 != "-" }) ?? []
    }
}
