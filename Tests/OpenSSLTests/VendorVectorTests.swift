import Bytes
import Foundation
import OpenSSL
import TestSupport
import Testing

@Suite(.enabled(if: TestFiles.vectors != nil, "no vectors: BOOTGATE_VECTORS names their folder"))
struct VendorVectorTests {
    @Test(
        "chains AMD's intermediates to the roots pinned by key",
        arguments: [
            ("milan", "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"),
            ("genoa", "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"),
            ("turin", "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"),
        ])
    func roots(product: String, digest: String) throws {
        let root = try X509Certificate(der: bytes(at: "roots/ark-\(product).der"))
        #expect(root.subjectPublicKeyInfoDigest.hex == digest)
        #expect(root.isSigned(by: root) && root.basicConstraintsCA)
        #expect(root.signatureIsRSAPSSSHA384)
        #expect(try X509Certificate(pem: bytes(at: "roots/ark-\(product).pem")).der == root.der)
        for kind in ["sev", "sev-vlek"] {
            let path = "roots/\(kind)-\(product).der"
            let intermediate = try X509Certificate(der: bytes(at: path))
            #expect(intermediate.isSigned(by: root))
            #expect(intermediate.signatureIsRSAPSSSHA384)
            #expect(!root.isSigned(by: intermediate))
        }
    }

    @Test("reads Intel's revocation lists, whose issuers signed them")
    func revocationLists() throws {
        struct Entry: Decodable {
            struct File: Decodable {
                let path: String
                let role: String
            }
            let files: [File]
        }
        let index = try JSONDecoder().decode([Entry].self, from: Data(bytes(at: "index.json")))
        var checked = 0
        for file in index.flatMap(\.files) where file.role == "tdx-collateral" {
            let texts = try JSONSerialization.jsonObject(with: Data(bytes(at: file.path)))
            guard let texts = texts as? [String: String],
                let chain = texts["pck_crl_issuer_chain"].map({ Array($0.utf8) })
            else { continue }
            let issuers = try X509Certificate.certificates(pem: chain)
            for (name, issuer) in [("pck_crl", issuers.first), ("root_ca_crl", issuers.last)] {
                guard let der = texts[name].flatMap({ Hex.decode($0) }), let issuer else {
                    continue
                }
                let list = try X509CRL(der: der)
                #expect(list.isSigned(by: issuer), "\(file.path) \(name)")
                checked += 1
            }
        }
        #expect(checked >= 4)
    }

    @Test("parses every chip certificate and finds its issuer's signature")
    func chips() throws {
        var checked = 0
        for folder in try reports() {
            guard let der = try? bytes(at: "snp/\(folder)/vek.der") else { continue }
            let chip = try X509Certificate(der: der)
            let issuer = chip.issuerCommonName.lowercased()
            let intermediate = try X509Certificate(der: bytes(at: "roots/\(issuer).der"))
            #expect(chip.isSigned(by: intermediate), "\(folder)")
            #expect(chip.signatureIsRSAPSSSHA384)
            #expect(chip.extensionValue(oid: "1.3.6.1.4.1.3704.1.3.1") != nil)
            checked += 1
        }
        #expect(checked > 0)
    }

    @Test("verifies the chip's signature over every genuine report, and none that was changed")
    func signatures() throws {
        var checked = 0
        for folder in try reports() where !folder.contains("-neg-") {
            guard let der = try? bytes(at: "snp/\(folder)/vek.der") else { continue }
            let chip = try X509Certificate(der: der)
            let report = try bytes(at: "snp/\(folder)/report.bin")
            // ATTESTATION_REPORT: SIGNATURE at 0x2a0, R and S little-endian in 72 bytes each.
            let signed = Array(report[..<0x2a0])
            let r = Array(report[0x2a0..<0x2a0 + 48].reversed())
            let s = Array(report[0x2e8..<0x2e8 + 48].reversed())
            #expect(chip.verifyP384SHA384(signedBytes: signed, r: r, s: s), "\(folder)")
            var changed = signed
            changed[0x90] ^= 1
            #expect(!chip.verifyP384SHA384(signedBytes: changed, r: r, s: s), "\(folder)")
            checked += 1
        }
        #expect(checked > 0)
    }

    @Test("refuses every truncation of a real certificate, and a byte after it")
    func truncations() throws {
        let der = try bytes(at: "roots/ark-milan.der")
        for count in 0..<der.count {
            #expect(throws: X509Error.self) {
                _ = try X509Certificate(der: Array(der.prefix(count)))
            }
        }
        #expect(throws: X509Error.trailingBytes(1)) { _ = try X509Certificate(der: der + [0]) }
    }

    private func bytes(at path: String) throws -> [UInt8] {
        try TestFiles.bytes(#require(TestFiles.vectors).appendingPathComponent(path))
    }

    private func reports() throws -> [String] {
        let folder = try #require(TestFiles.vectors).appendingPathComponent("snp")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}
