import ArgumentParser
import Bytes
import Evidence
import Foundation
import OpenSSL
import Testing

@testable import SimulatedPSP

@Suite("Self-made vectors")
struct VectorSetTests {
    /// Made once: RSA keys take seconds.
    private static let vendor = Result { try SNPVendor(now: 1_800_000_000) }
    private static let made = Result {
        try VectorsCommand.vectors(seed: "test", vendor: vendor.get())
    }

    @Test("hold every kind, good and bad, and name each file with its digest")
    func index() throws {
        let set = try Self.made.get()
        let index = try JSONReader.parse(
            Array(set.index.utf8),
            limits: JSONReader.Limits(byteCount: 1 << 20, depth: 8, values: 1 << 16))
        let entries = try #require(index.array)
        #expect(entries.count == set.entries.count)
        for entry in entries {
            for file in entry["files"]?.array ?? [] {
                let bytes = try #require(file["path"]?.string.flatMap(set.bytes))
                #expect(file["size"]?.integer == bytes.count)
                #expect(file["sha256"]?.string == OpenSSLHashing().sha256(bytes).hex)
            }
        }
        let results = Dictionary(grouping: set.entries, by: \.kind)
            .mapValues { Set($0.flatMap(\.cases).map { $0.reason == nil }) }
        for kind in [
            "snp-report-v2", "snp-report-v3", "snp-report-v5", "tdx-quote-v4", "tdx-quote-v5",
            "azure-hcl-snp", "azure-hcl-tdx", "tpm-quote", "ccel", "ima-log-binary",
        ] {
            #expect(results[kind] == [true, false], "\(kind)")
        }
    }

    @Test("differ between runs in keys and signatures only")
    func seeded() throws {
        let report = { (set: VectorSet) in
            Array(try #require(set.bytes("snp/snp-genoa-vcek-v5.bin")).prefix(0x2a0))
        }
        let again = try VectorsCommand.vectors(seed: "test", vendor: try Self.vendor.get())
        #expect(try report(try Self.made.get()) == report(again))
        #expect(try Self.made.get().entries.map(\.id) == again.entries.map(\.id))
    }

    @Test("Azure's parts are read by the project's own parsers")
    func azure() throws {
        let set = try Self.made.get()
        for (id, isTDX) in [("azure-snp-v1", false), ("azure-tdx", true)] {
            let report = try HCLReport(
                parsing: try #require(set.bytes("azure/\(id)/hcl-report.bin")))
            let data = try HCLRuntimeData(parsing: report.variableData)
            #expect(data.attestationKey.modulus.count == 512)
            #expect(data.userData?.isZero == false)
            guard case .tdx = report.hardware else {
                #expect(!isTDX)
                continue
            }
            #expect(isTDX)
        }
    }

    @Test("a paravisor's report, a list and a folder of endorsements can be had one by one")
    func commands() throws {
        let home = FileManager.default.temporaryDirectory
            .appendingPathComponent("bootgate-vectors-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: home) }
        func run(_ arguments: [String]) throws {
            var command = try Program.parseAsRoot(arguments)
            try command.run()
        }
        try run(["tdx", "init", "--dir", "\(home)/tdx"])
        try run(["tdx", "collateral", "--dir", "\(home)/tdx", "--folder", "\(home)/cache"])
        try run(["init", "--dir", "\(home)/snp", "--product", "turin"])
        try run(["endorsements", "--dir", "\(home)/snp", "--folder", "\(home)/cache"])
        try run([
            "crl", "--dir", "\(home)/snp", "--out", "\(home)/crl.der", "--fault",
            "revoked-intermediate",
        ])
        let files = FileManager.default
        let intermediate = try X509Certificate(
            der: [UInt8](try #require(files.contents(atPath: "\(home)/snp/ask.der"))))
        let list = try X509CRL(
            der: [UInt8](try #require(files.contents(atPath: "\(home)/crl.der"))))
        #expect(list.revokes(intermediate))
        let chips = try files.contentsOfDirectory(atPath: "\(home)/cache/vcek")
        #expect(chips.count == 1 && chips[0].count == 16)
        #expect(
            try files.contentsOfDirectory(atPath: "\(home)/cache/vcek/\(chips[0])")
                == ["bl01_tee01_snp04_ucode81_fmc01.der"])
        let key = try X509Certificate(
            der: [UInt8](try #require(files.contents(atPath: "\(home)/snp/ark.der"))))
        let info = try VerificationKey(of: key).subjectPublicKeyInfo
        let pem =
            "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(info))\n-----END PUBLIC KEY-----\n"
        #expect(files.createFile(atPath: "\(home)/ak.pem", contents: Data(pem.utf8)))
        for kind in ["snp", "tdx"] {
            try run([
                "hcl", "--dir", "\(home)/\(kind)", "--ak", "\(home)/ak.pem", "--out",
                "\(home)/\(kind).hcl",
            ])
            let blob = [UInt8](try #require(files.contents(atPath: "\(home)/\(kind).hcl")))
            #expect(try HCLReport(parsing: blob).hash == .sha256)
        }
    }
}
