import Bytes
import Evidence
import Foundation
import Testing

@testable import Endorsements

@Suite("The cache of endorsements")
struct EndorsementCacheTests {
    private let folder = TestFolder()

    private func store(_ object: EndorsementObject, from start: Int64 = Documents.issued) throws {
        let content = try Documents.content(object, from: start)
        try folder.cache.store(
            content, as: object,
            metadata: EndorsementMetadata(
                object: object, source: "https://vendor.example/x", fetched: 42,
                digest: content.digest))
    }

    @Test("gives back what it keeps, with its dates and its source", arguments: Documents.objects)
    func keeps(object: EndorsementObject) throws {
        #expect(folder.cache.entry(object) == nil)
        let content = try Documents.content(object)
        try folder.cache.store(
            content, as: object,
            metadata: EndorsementMetadata(
                object: object, source: "https://vendor.example/x", fetched: 42,
                digest: content.digest))
        let entry = try #require(folder.cache.entry(object))
        #expect(entry.body == content.body)
        #expect(entry.issued == Documents.issued)
        #expect(entry.expires == Documents.expires)
        #expect(entry.fetched == 42)
        #expect(entry.source == "https://vendor.example/x")
        #expect(folder.cache.entries().map(\.object) == [object])
        #expect(EndorsementObject(object.description) == object)
    }

    @Test("lays files out as the manual says")
    func layout() throws {
        for object in Documents.objects { try store(object) }
        let chip = String(repeating: "c4", count: 64)
        #expect(
            folder.contents.keys.filter { !$0.hasSuffix(".meta") }.sorted() == [
                "Genoa/crl.der", "Genoa/vcek_issuers.pem", "Genoa/vlek_issuers.pem",
                "intel/pck_crl_platform.der", "intel/pck_crl_platform.der.issuers",
                "intel/pck_crl_processor.der", "intel/pck_crl_processor.der.issuers",
                "intel/root_ca_crl.der", "intel/tdx/50806f000000/tcb_info.json",
                "intel/tdx/50806f000000/tcb_info.json.issuers", "intel/tdx/qe_identity.json",
                "intel/tdx/qe_identity.json.issuers",
                "vcek/\(chip)/bl10_tee00_snp23_ucode84.der",
            ])
        for file in folder.contents.keys {
            let mode =
                try FileManager.default.attributesOfItem(
                    atPath: "\(folder.path)/\(file)")[.posixPermissions] as? Int
            #expect(mode == 0o644)
        }
    }

    @Test("keeps the later of two, and says so")
    func later() throws {
        try store(.tdxQEIdentity, from: Documents.issued + 1)
        let before = folder.contents
        #expect(throws: FetchFault.older) { try store(.tdxQEIdentity) }
        #expect(folder.contents == before)
        try store(.tdxQEIdentity, from: Documents.issued + 2)
        #expect(folder.cache.entry(.tdxQEIdentity)?.issued == Documents.issued + 2)
    }

    @Test("takes metadata only for the file they were made for")
    func metadata() throws {
        try store(Documents.vcekObject)
        let file = try #require(folder.contents.keys.first { $0.hasSuffix(".der") })
        try folder.put(file, try Documents.vcek())
        let entry = try #require(folder.cache.entry(Documents.vcekObject))
        #expect(entry.fetched == nil)
        #expect(entry.source == nil)
    }

    @Test("replaces what is no document at all")
    func replacesJunk() throws {
        try folder.put("intel/tdx/qe_identity.json", Array("not found".utf8))
        #expect(folder.cache.entry(.tdxQEIdentity) == nil)
        try store(.tdxQEIdentity)
        #expect(folder.cache.contains(.tdxQEIdentity))
    }

    @Test("finds a certificate under Trustee's name and in PEM")
    func otherNames() throws {
        let chip = String(repeating: "c4", count: 64)
        try folder.put(
            "vcek/\(chip)/bl10_tee00_snp23_ucode84_vcek.der", try Documents.vcek())
        #expect(folder.cache.entries().map(\.object) == [Documents.vcekObject])
    }

    @Test("writes through no symbolic link")
    func links() throws {
        let elsewhere = TestFolder()
        try elsewhere.put("x", [1])
        try folder.put("x", [1])
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/intel", withDestinationPath: elsewhere.path)
        #expect(throws: FetchFault.self) { try store(.intelRootRevocations) }
        #expect(elsewhere.contents.keys.sorted() == ["x"])
    }

    @Test(
        "knows no object by any other name",
        arguments: [
            "", "/", "vcek", "vcek/Genoa", "vcek/Rome/00/bl01", "crl/genoa", "crl/Genoa/",
            "tcb-info/50806F000000", "tcb-info/50806f0000", "qe-identity/", "pck-crl/", "root",
            "vcek/Turin/0102030405060708/bl01_tee00_snp02_ucode71",
            "vcek/Turin/0102030405060708/bl1_tee00_snp02_ucode71_fmc03",
            "vcek/Turin/0102030405060708/bl01_tee00_snp02_ucode256_fmc03",
            "vcek/Turin/01020304050607/bl01_tee00_snp02_ucode71_fmc03",
        ])
    func names(text: String) {
        #expect(EndorsementObject(text) == nil)
    }

    @Test("sees in each kind of document what is wrong with it")
    func wrongContent() throws {
        let genoa = Documents.vcekObject
        let otherChip = EndorsementObject.vcek(
            hwID: [UInt8](repeating: 0xc5, count: 64), Documents.genoa)
        let otherTCB = EndorsementObject.vcek(
            hwID: Documents.chip,
            TCBVersion(
                raw: FixedBytes([10, 0, 0, 0, 0, 0, 23, 212]) ?? FixedBytes(), product: .genoa))
        let cases: [(EndorsementObject, EndorsementObject)] = [
            (genoa, otherChip), (genoa, otherTCB), (genoa, .amdIssuers(.vcek, .genoa)),
            (.amdIssuers(.vcek, .genoa), .amdIssuers(.vlek, .genoa)),
            (.amdIssuers(.vcek, .genoa), .amdIssuers(.vcek, .milan)),
            (.amdRevocations(.genoa), .amdRevocations(.turin)),
            (.tdxTCBInfo(fmspc: Documents.fmspc), .tdxTCBInfo(fmspc: FixedBytes())),
            (.tdxTCBInfo(fmspc: Documents.fmspc), .tdxQEIdentity),
            (.pckRevocations(.platform), .pckRevocations(.processor)),
            (.intelRootRevocations, .pckRevocations(.platform)),
        ]
        for (wanted, came) in cases {
            let (body, issuers) = try Documents.document(came)
            #expect(throws: FetchFault.self) {
                _ = try EndorsementContent(wanted, body, issuers: issuers)
            }
        }
    }

    @Test("puts the collateral of a TDX platform together, and says what of it is missing or old")
    func tdxCollateral() throws {
        let needed: [EndorsementObject] = [
            .tdxTCBInfo(fmspc: Documents.fmspc), .tdxQEIdentity, .pckRevocations(.platform),
            .intelRootRevocations,
        ]
        func supply(at time: Int64 = Documents.expires) -> EndorsementCache.TDXSupply {
            folder.cache.tdxCollateral(fmspc: Documents.fmspc, authority: .platform, at: time)
        }
        for (index, object) in needed.enumerated() {
            #expect(supply().collateral == nil)
            #expect(supply().wanted == Array(needed[index...]))
            try store(object)
        }
        let full = supply()
        #expect(full.wanted.isEmpty)
        let collateral = try #require(full.collateral)
        #expect(collateral.rootCACRL == folder.cache.entry(.intelRootRevocations)?.body)
        #expect(collateral.pckCRLIssuerChain == folder.cache.entry(needed[2])?.issuers)
        #expect(collateral.qeIdentity.signature == [UInt8](repeating: 0x5a, count: 64))
        let old = supply(at: Documents.expires + 1)
        #expect(old.wanted == needed)
        #expect(old.collateral == collateral)
    }
}
