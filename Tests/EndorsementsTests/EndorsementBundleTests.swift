import AdminAPI
import Bytes
import Evidence
import Foundation
import OpenSSL
import Testing

@testable import Endorsements

@Suite("Bundles of endorsements")
struct EndorsementBundleTests {
    private let folder = TestFolder()

    /// A folder with one document of each kind, and what owners put beside them.
    private func full(from start: Int64 = Documents.issued) throws -> TestFolder {
        let folder = TestFolder()
        for object in Documents.objects {
            let content = try Documents.content(object, from: start)
            try folder.cache.store(
                content, as: object,
                metadata: EndorsementMetadata(
                    object: object, source: "https://vendor.example/\(object)", fetched: 42,
                    digest: content.digest))
        }
        try folder.put("Milan/ask.der", try Documents.certificate("SEV-Milan"))
        try folder.put("Milan/ark.pem", try Documents.pem("ARK-Milan"))
        try folder.put(
            "vlek/Milan/bl04_tee00_snp24_ucode219.der", try Documents.certificate("SEV-VLEK"))
        return folder
    }

    private func bundle(_ folder: TestFolder) throws -> [UInt8] {
        try #require(EndorsementBundle(of: folder.cache).encoded())
    }

    @Test("carry a whole folder to another, byte by byte")
    func roundTrip() throws {
        let source = try full()
        let bytes = try bundle(source)
        let result = try EndorsementBundle(parsing: bytes).install(in: folder.cache)
        #expect(folder.contents == source.contents)
        #expect(result.added.count == Documents.objects.count + 3)
        #expect(result.replaced.isEmpty)
        #expect(result.kept.isEmpty)
        #expect(try bundle(folder) == bytes)
        let again = try EndorsementBundle(parsing: bytes).install(in: folder.cache)
        #expect(again.kept.sorted() == result.added.sorted())
        #expect(again.added.isEmpty)
    }

    @Test("of nothing are bundles too")
    func empty() throws {
        let bundle = try EndorsementBundle(parsing: try bundle(folder))
        #expect(bundle.count == 0)
    }

    @Test("can be read by tar, and their manifest by sha256sum")
    func standardTools() throws {
        let source = try full()
        let file = folder.path + "/bundle.tar"
        try folder.put("bundle.tar", try bundle(source))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "cd \"$1\" && tar xf \"$2\" && sha256sum --quiet --strict --check MANIFEST", "sh",
            folder.path, file,
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        var unpacked = folder.contents
        unpacked["bundle.tar"] = nil
        unpacked["MANIFEST"] = nil
        #expect(unpacked == source.contents)
    }

    @Test("replace what is older, and leave alone what is newer")
    func newer() throws {
        let old = try bundle(try full())
        let new = try bundle(try full(from: Documents.issued + 60))
        _ = try EndorsementBundle(parsing: old).install(in: folder.cache)
        let replaced = try EndorsementBundle(parsing: new).install(in: folder.cache)
        // Issuers begin when they begin.
        #expect(replaced.replaced.count == Documents.objects.count - 2)
        let after = folder.contents
        let kept = try EndorsementBundle(parsing: old).install(in: folder.cache)
        #expect(kept.replaced.isEmpty)
        #expect(kept.added.isEmpty)
        #expect(folder.contents == after)
    }

    @Test("are refused when one byte is another, wherever it is")
    func everyByte() throws {
        let small = TestFolder()
        let object = EndorsementObject.amdRevocations(.genoa)
        let content = try Documents.content(object)
        try small.cache.store(
            content, as: object,
            metadata: EndorsementMetadata(
                object: object, source: "https://vendor.example", fetched: 42,
                digest: content.digest))
        let bytes = try bundle(small)
        for index in bytes.indices {
            var wrong = bytes
            wrong[index] ^= 1
            #expect(throws: BundleFault.self) { _ = try EndorsementBundle(parsing: wrong) }
        }
    }

    @Test("are refused when cut off anywhere, and when something follows")
    func truncations() throws {
        let bytes = try bundle(try full())
        for count in stride(from: 0, to: bytes.count, by: 256) {
            #expect(throws: BundleFault.self) {
                _ = try EndorsementBundle(parsing: Array(bytes.prefix(count)))
            }
        }
        for more in [1, 512, 1024] {
            #expect(throws: BundleFault.self) {
                _ = try EndorsementBundle(parsing: bytes + [UInt8](repeating: 0, count: more))
            }
        }
    }

    /// A bundle of these files with the manifest that is due.
    private func made(_ files: [(String, [UInt8])], manifest: String? = nil) throws -> [UInt8] {
        let hashing = OpenSSLHashing()
        let lines = files.map { "\(hashing.sha256($0.1).hex)  \($0.0)\n" }.joined()
        let text = manifest ?? "# bootgate endorsements 1\n" + lines
        let members = [("MANIFEST", Array(text.utf8))] + files
        return try #require(
            TarFile.encode(members.map { TarFile.Member(path: $0.0, content: $0.1) }))
    }

    @Test("are refused, with nothing changed, for what is in them")
    func contents() throws {
        let list = try Documents.revocations(of: "ARK-Genoa")
        let chip = String(repeating: "c4", count: 64)
        let identity = try Documents.document(.tdxQEIdentity)
        let metadata = EndorsementMetadata(
            object: .tdxQEIdentity, source: "x", fetched: 1, digest: FixedBytes()
        ).encoded()
        let cases: [(bytes: [UInt8], member: String?)] = [
            (try made([("Genoa/crl.der", list), ("Genoa/crl.der", list)]), "Genoa/crl.der"),
            (try made([("Milan/crl.der", list), ("Genoa/crl.der", list)]), "Genoa/crl.der"),
            (try made([("Milan/crl.der", list)]), "Milan/crl.der"),
            (try made([("Genoa/crl.der.meta", metadata)]), "Genoa/crl.der.meta"),
            (
                try made([("Genoa/crl.der", list), ("Genoa/crl.der.issuers", [1])]),
                "Genoa/crl.der.issuers"
            ),
            (try made([("../Genoa/crl.der", list)]), "../Genoa/crl.der"),
            (try made([("/Genoa/crl.der", list)]), "/Genoa/crl.der"),
            (try made([("Genoa//crl.der", list)]), "Genoa//crl.der"),
            (try made([("Genoa/ark.der", list)]), "Genoa/ark.der"),
            (try made([("Genoa/ark.der", [])]), "Genoa/ark.der"),
            (try made([("vlek/Genoa/x.der", try Documents.certificate("x"))]), "vlek/Genoa/x.der"),
            (try made([("wanted", [])]), "wanted"),
            (
                try made([("vcek/\(chip)/bl10_tee00_snp23_ucode85.der", try Documents.vcek())]),
                "vcek/\(chip)/bl10_tee00_snp23_ucode85.der"
            ),
            (
                try made([
                    (
                        "vcek/\(chip.uppercased())/bl10_tee00_snp23_ucode84.der",
                        try Documents.vcek()
                    )
                ]),
                "vcek/\(chip.uppercased())/bl10_tee00_snp23_ucode84.der"
            ),
            (
                try made([("intel/tdx/qe_identity.json", identity.body)]),
                "intel/tdx/qe_identity.json"
            ),
            (
                try made([
                    ("intel/tdx/qe_identity.json", identity.body),
                    ("intel/tdx/qe_identity.json.issuers", identity.issuers ?? []),
                    ("intel/tdx/qe_identity.json.meta", metadata),
                ]), "intel/tdx/qe_identity.json.meta"
            ),
            (try made([("Genoa/crl.der", list)], manifest: ""), "MANIFEST"),
            (
                try made([("Genoa/crl.der", list)], manifest: "# bootgate endorsements 2\n"),
                "MANIFEST"
            ),
            (try made([], manifest: "# bootgate endorsements 1\nmore\n"), "MANIFEST"),
            (
                try made([("Genoa/crl.der", list)], manifest: "# bootgate endorsements 1\nx\n"),
                "Genoa/crl.der"
            ),
            ([], nil), ([UInt8](repeating: 0, count: 1024), nil),
            (
                try #require(TarFile.encode([.init(path: "Genoa/crl.der", content: list)])),
                "Genoa/crl.der"
            ),
        ]
        for (index, (bytes, member)) in cases.enumerated() {
            let fault = #expect(throws: BundleFault.self, "case \(index)") {
                _ = try EndorsementBundle(parsing: bytes).install(in: folder.cache)
            }
            #expect(fault?.member == member, "case \(index)")
        }
        #expect(folder.contents.isEmpty)
    }

    @Test("hold paths that need both fields of a tar header, and none that is longer")
    func longPaths() throws {
        let path = "vcek/" + String(repeating: "c4", count: 64) + "/bl10_tee00_snp23_ucode84.der"
        let bytes = try #require(TarFile.encode([.init(path: path, content: [1])]))
        #expect(TarFile.decode(bytes, atMost: 1)?.first?.path == path)
        #expect(TarFile.decode(bytes, atMost: 0) == nil)
        let name = String(repeating: "x", count: 101)
        #expect(TarFile.encode([.init(path: name, content: [])]) == nil)
        #expect(TarFile.encode([.init(path: "", content: [])]) == nil)
    }

    @Test("come after an overview of what is good, ends, has ended and is missing")
    func overview() throws {
        let source = try full()
        let missing = EndorsementObject.amdRevocations(.turin)
        func states(at time: Int64) -> [String: EndorsementRecord.State] {
            let list = source.cache.overview(
                wanted: [missing: time - 1, .amdRevocations(.milan): time - 91 * 86_400],
                services: EndorsementServices(), at: time)
            return Dictionary(uniqueKeysWithValues: list.documents.map { ($0.name, $0.state) })
        }
        let good = states(at: Documents.issued)
        #expect(good["crl/Genoa"] == .good)
        #expect(good["crl/Turin"] == .missing)
        #expect(good["crl/Milan"] == nil)
        #expect(states(at: Documents.expires - 86_400)["crl/Genoa"] == .endsSoon)
        #expect(states(at: Documents.expires + 1)["crl/Genoa"] == .outdated)
    }
}
