import Bytes
import Evidence
import Foundation
import OpenSSL

@testable import Endorsements

/// Documents of the right shape that no vendor signed.
enum Documents {
    static let issued: Int64 = 1_800_000_000
    static let expires: Int64 = 1_802_592_000
    static let genoa = TCBVersion(
        raw: FixedBytes([10, 0, 0, 0, 0, 0, 23, 84]) ?? FixedBytes(), product: .genoa)
    static let chip = [UInt8](repeating: 0xc4, count: 64)
    static let vcekObject = EndorsementObject.vcek(hwID: chip, genoa)
    static let fmspc = FixedBytes<6>([0x50, 0x80, 0x6f, 0, 0, 0]) ?? FixedBytes()

    /// Every kind of document, one of each.
    static let objects: [EndorsementObject] = [
        vcekObject, .amdIssuers(.vcek, .genoa), .amdIssuers(.vlek, .genoa),
        .amdRevocations(.genoa), .tdxTCBInfo(fmspc: fmspc), .tdxQEIdentity,
        .pckRevocations(.platform), .pckRevocations(.processor), .intelRootRevocations,
    ]

    private final class Key: Sendable {
        let key: SigningKey
        init() {
            do { key = try SigningKey.generate(.p256) } catch { fatalError("no key: \(error)") }
        }
    }

    private static let key = Key()

    static func certificate(
        _ subject: String, by issuer: String = "issuer", from start: Int64 = issued,
        to end: Int64 = expires, extensions: [CertificateTemplate.Extension] = []
    ) throws -> [UInt8] {
        var template = CertificateTemplate(
            subject: .init(commonName: subject), issuer: .init(commonName: issuer), serial: [7],
            notBefore: start, notAfter: end, signature: .ecdsaSHA256)
        template.extensions = extensions
        return try CertificateIssuer.issue(
            template, subjectKey: key.key, issuerKey: key.key)
    }

    static func vcek(
        hwID: [UInt8] = chip, tcb: TCBVersion = genoa, from start: Int64 = issued
    ) throws -> [UInt8] {
        let numbers: [TCBComponent: String] = [
            .bootloader: "1", .tee: "2", .snp: "3", .microcode: "8", .fmc: "9",
        ]
        let versions = tcb.components.map { component, value in
            CertificateTemplate.Extension(
                oid: "1.3.6.1.4.1.3704.1.3.\(numbers[component] ?? "")",
                value: value < 128 ? [2, 1, value] : [2, 2, 0, value])
        }
        return try certificate(
            "SEV-VCEK", by: "SEV-\(tcb.product.rawValue)", from: start,
            extensions: versions + [.init(oid: "1.3.6.1.4.1.3704.1.4", value: hwID)])
    }

    static func pem(_ names: String...) throws -> [UInt8] {
        try names.flatMap { try X509Certificate(der: certificate($0)).pem }
    }

    static func revocations(of issuer: String, from start: Int64 = issued) throws -> [UInt8] {
        let template = CRLTemplate(
            issuer: .init(commonName: issuer), thisUpdate: start, nextUpdate: start + 2_592_000,
            entries: [], signature: .ecdsaSHA256)
        return try CRLIssuer.issue(template, issuerKey: key.key)
    }

    static func json(
        _ member: String, id: String, _ more: String = "", from start: Int64 = issued
    ) -> [UInt8] {
        let (from, to) = (ISO8601.text(start), ISO8601.text(start + 2_592_000))
        return Array(
            (#"{"\#(member)":{"id":"\#(id)","version":3,"issueDate":"\#(from)","#
                + #""nextUpdate":"\#(to)"\#(more)},"signature":"\#(String(repeating: "5a", count: 64))"}"#)
                .utf8)
    }

    /// A document of that kind, and its issuers.
    static func document(
        _ object: EndorsementObject, from start: Int64 = issued
    ) throws -> (body: [UInt8], issuers: [UInt8]?) {
        let issuers = object.issuersHeader == nil ? nil : try pem("Signer", "Intel SGX Root CA")
        let body =
            switch object {
            case .vcek(let hwID, let tcb): try vcek(hwID: hwID, tcb: tcb, from: start)
            case .amdIssuers(let leaf, let product):
                try pem(
                    leaf == .vcek ? "SEV-\(product.rawValue)" : "SEV-VLEK-\(product.rawValue)",
                    "ARK-\(product.rawValue)")
            case .amdRevocations(let product):
                try revocations(of: "ARK-\(product.rawValue)", from: start)
            case .tdxTCBInfo(let fmspc):
                json("tcbInfo", id: "TDX", #","fmspc":"\#(fmspc.hex.uppercased())""#, from: start)
            case .tdxQEIdentity: json("enclaveIdentity", id: "TD_QE", from: start)
            case .pckRevocations(.platform):
                try revocations(of: "Intel SGX PCK Platform CA", from: start)
            case .pckRevocations(.processor):
                try revocations(of: "Intel SGX PCK Processor CA", from: start)
            case .intelRootRevocations: try revocations(of: "Intel SGX Root CA", from: start)
            }
        return (body, issuers)
    }

    static func content(
        _ object: EndorsementObject, from start: Int64 = issued
    ) throws -> EndorsementContent {
        let (body, issuers) = try document(object, from: start)
        return try EndorsementContent(object, body, issuers: issuers)
    }
}

/// A directory that goes when the test ends.
final class TestFolder: Sendable {
    let path = NSTemporaryDirectory() + "bootgate-endorsements-\(UUID().uuidString)"

    var cache: EndorsementCache { EndorsementCache(path) }

    func put(_ file: String, _ content: [UInt8]) throws {
        let url = URL(fileURLWithPath: "\(path)/\(file)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content).write(to: url)
    }

    /// Every file with its content.
    var contents: [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for file in FileManager.default.enumerator(atPath: path) ?? .init() {
            guard let name = file as? String,
                let data = FileManager.default.contents(atPath: "\(path)/\(name)")
            else { continue }
            var isFolder: ObjCBool = false
            _ = unsafe FileManager.default.fileExists(
                atPath: "\(path)/\(name)", isDirectory: &isFolder)
            if !isFolder.boolValue { found[name] = [UInt8](data) }
        }
        return found
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
