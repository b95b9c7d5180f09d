import Bytes
import Evidence
import OpenSSL

/// A document that has the shape of what was asked for, and its dates. Nothing of it is believed: who
/// signed it, and whether it is in force, is a verifier's question.
struct EndorsementContent: Sendable, Equatable {
    /// The document as the vendor sent it.
    let body: [UInt8]
    /// The certificates of those who signed it as PEM, where the vendor sends them beside it.
    let issuers: [UInt8]?
    /// From when on it says to be good; seconds since 1970, UTC.
    let issued: Int64
    /// Until when; seconds since 1970, UTC.
    let expires: Int64

    private static let json = JSONReader.Limits(byteCount: 256 << 10, values: 32 << 10)

    /// Reads `body` as `object`.
    ///
    /// - Throws: ``FetchFault/wrongContent(rule:)``.
    init(_ object: EndorsementObject, _ body: [UInt8], issuers: [UInt8]?) throws(FetchFault) {
        guard body.count <= object.limit else {
            throw .wrongContent(rule: "at most \(object.limit) bytes")
        }
        self.body = body
        self.issuers = object.issuersHeader == nil ? nil : issuers
        if object.issuersHeader != nil {
            guard let issuers, let chain = try? X509Certificate.readAll(pem: issuers),
                (1...8).contains(chain.count)
            else {
                throw .wrongContent(rule: "certificates of the issuers in PEM beside it")
            }
        }
        (issued, expires) =
            switch object {
            case .vcek(let hwID, let tcb): try Self.vcek(body, hwID, tcb)
            case .amdIssuers(let leaf, let product): try Self.issuers(body, leaf, product)
            case .amdRevocations(let product):
                try Self.revocations(body, by: "ARK-\(product.rawValue)")
            case .tdxTCBInfo(let fmspc): try Self.tcbInfo(body, fmspc)
            case .tdxQEIdentity:
                try Self.signed(body, "enclaveIdentity", id: "TD_QE").dates
            case .pckRevocations(let authority):
                try Self.revocations(
                    body, by: "PCK \(authority == .platform ? "Platform" : "Processor") CA")
            case .intelRootRevocations: try Self.revocations(body, by: "Root CA")
            }
    }

    private static func vcek(
        _ body: [UInt8], _ hwID: [UInt8], _ tcb: TCBVersion
    ) throws(FetchFault) -> (Int64, Int64) {
        guard let der = PEM.certificate(body), let certificate = try? X509Certificate(der: der)
        else { throw .wrongContent(rule: "one certificate in DER or PEM") }
        guard certificate.issuerCommonName == "SEV-\(tcb.product.rawValue)" else {
            throw .wrongContent(rule: "a VCEK issued by SEV-\(tcb.product.rawValue)")
        }
        // A certificate of another chip would never be asked for again, once it is here.
        let named = certificate.extensionValue(oid: "1.3.6.1.4.1.3704.1.4") ?? []
        let wrapped = [0x04, UInt8(hwID.count)] + hwID
        guard named == hwID || named == wrapped else {
            throw .wrongContent(rule: "a VCEK whose hwID is the chip's")
        }
        let numbers: [TCBComponent: String] = [
            .bootloader: "1", .tee: "2", .snp: "3", .microcode: "8", .fmc: "9",
        ]
        for (component, value) in tcb.components {
            let number = numbers[component] ?? ""
            let version = certificate.extensionValue(oid: "1.3.6.1.4.1.3704.1.3.\(number)")
            guard version == (value < 128 ? [0x02, 0x01, value] : [0x02, 0x02, 0, value]) else {
                throw .wrongContent(rule: "a VCEK for \(component.rawValue) \(value)")
            }
        }
        return (certificate.notBefore, certificate.notAfter)
    }

    private static func issuers(
        _ body: [UInt8], _ leaf: EndorsementObject.AMDLeaf, _ product: SNPProduct
    ) throws(FetchFault) -> (Int64, Int64) {
        let name = leaf == .vlek ? "SEV-VLEK-\(product.rawValue)" : "SEV-\(product.rawValue)"
        guard let chain = try? X509Certificate.readAll(pem: body), chain.count == 2,
            chain[0].subjectCommonName == name,
            chain[1].subjectCommonName == "ARK-\(product.rawValue)"
        else {
            throw .wrongContent(rule: "PEM of \(name) and ARK-\(product.rawValue)")
        }
        return (
            max(chain[0].notBefore, chain[1].notBefore), min(chain[0].notAfter, chain[1].notAfter)
        )
    }

    private static func revocations(
        _ body: [UInt8], by issuer: String
    ) throws(FetchFault) -> (Int64, Int64) {
        guard let list = try? X509CRL(der: body), list.issuerCommonName.hasSuffix(issuer) else {
            throw .wrongContent(rule: "a revocation list of \(issuer) in DER")
        }
        return (list.thisUpdate, list.nextUpdate)
    }

    private static func tcbInfo(
        _ body: [UInt8], _ fmspc: FixedBytes<6>
    ) throws(FetchFault) -> (Int64, Int64) {
        let (info, dates) = try signed(body, "tcbInfo", id: "TDX")
        guard let text = info["fmspc"]?.string, FixedBytes<6>(hex: text) == fmspc else {
            throw .wrongContent(rule: "TCB info of FMSPC \(fmspc.hex)")
        }
        return dates
    }

    /// `{"<member>": {"id": ..., "issueDate": ..., "nextUpdate": ..., ...}, "signature": "..."}`
    private static func signed(
        _ body: [UInt8], _ member: String, id: String
    ) throws(FetchFault) -> (value: JSONValue, dates: (Int64, Int64)) {
        let rule = "JSON with \(member) of \(id), its dates and a signature"
        guard let document = try? JSONReader.parse(body, limits: json),
            document.members?.map(\.name).sorted() == [member, "signature"].sorted(),
            let signature = document["signature"]?.string, Hex.decode(signature)?.count == 64,
            let value = document[member], value["id"]?.string == id,
            let issued = value["issueDate"]?.string.flatMap(ISO8601.time),
            let expires = value["nextUpdate"]?.string.flatMap(ISO8601.time)
        else { throw .wrongContent(rule: rule) }
        return (value, (issued, expires))
    }
}
