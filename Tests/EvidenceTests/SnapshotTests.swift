import Bytes
import Evidence
import Testing

/// Snapshots to test with.
enum SnapshotSamples {
    static let digest = String(repeating: "5f", count: 32)
    static let other = String(repeating: "07", count: 32)

    /// As `cosmian_vm` writes one of an SNP guest, with values of our own.
    static let cosmianSNP = """
        {"tee_policy":{"Sev":{"measurement":"\(hex(1, 48))","report_data":"\(hex(2, 64))",\
        "family_id":"\(hex(3, 16))","image_id":"\(hex(4, 16))","guest_svn":9,\
        "id_key_digest":"\(hex(5, 48))","author_key_digest":"\(hex(6, 48))","policy":196608,\
        "report_id":"\(hex(7, 32))","report_id_ma":"\(hex(0xff, 32))"}},\
        "tpm_policy":{"reset_count":15,"restart_count":0},\
        "filehashes":[["/usr/bin/bash","\(digest)"],["/etc/a_b","\(other)"],\
        ["/usr/bin/bash","\(other)"],["boot_aggregate","\(hex(8, 20))"]]}
        """

    /// The same of a TDX guest: all values of the policy, no TPM, no files.
    static let cosmianTDX = """
        {"cloud_type":"GCP","tee_policy":{"Tdx":{"header":{"minimum_qe_svn":1,"minimum_pce_svn":2,\
        "qe_vendor_id":"\(hex(1, 16))"},"body":{"minimum_tee_tcb_svn":"\(hex(2, 16))",\
        "mr_seam":"\(hex(3, 48))","td_attributes":"\(hex(4, 8))","xfam":18446744073709551615,\
        "mr_td":"\(hex(5, 48))","mr_config_id":"\(hex(6, 48))","mr_owner":"\(hex(7, 48))",\
        "mr_owner_config":"\(hex(8, 48))","report_data":"\(hex(9, 64))"}}},\
        "tpm_policy":null,"filehashes":null}
        """

    static func hex(_ byte: UInt8, _ count: Int) -> String {
        Hex.encode([UInt8](repeating: byte, count: count))
    }

    static var details: SnapshotDetails {
        get throws {
            var pcrs = PCRValues()
            try pcrs.insert([UInt8](repeating: 1, count: 32), at: 0, in: .sha256)
            try pcrs.insert([UInt8](repeating: 2, count: 32), at: 10, in: .sha256)
            try pcrs.insert([UInt8](repeating: 3, count: 20), at: 10, in: .sha1)
            return SnapshotDetails(
                vm: "web-1", hostName: "web", bootID: "5a3f2f3e", time: 1_764_320_000,
                hash: .sha256, pcrs: pcrs, attestationKeyName: [0, 11, 7],
                ima: .init(entries: 2, bytes: 187), excluded: ["/sys", "/srv/a b"], skipped: 3)
        }
    }

    /// One of ours with everything in it.
    static var own: [UInt8] {
        get throws {
            var policy = SnapshotHeader.SNPPolicy()
            policy.measurement = FixedBytes<48>([UInt8](repeating: 1, count: 48))
            policy.policy = 0x30000
            var writer = SnapshotWriter(
                SnapshotHeader(
                    cloudType: "Azure", teePolicy: .snp(policy),
                    tpmPolicy: .init(resetCount: 15, restartCount: nil)))
            writer.file(path: "/a".utf8, digest: [UInt8](repeating: 1, count: 32))
            writer.file(path: "/b \"c\\".utf8, digest: [UInt8](repeating: 2, count: 20))
            writer.details(try details)
            var package = SnapshotPackage(
                name: "bash", version: "5.2-1", architecture: "amd64", manager: .dpkg)
            package.add(path: "/a".utf8)
            package.add(path: "/usr/share/b\tc".utf8)
            writer.package(package)
            writer.package(
                SnapshotPackage(name: "empty", version: "1", architecture: "all", manager: .rpm))
            writer.end()
            return writer.take()
        }
    }

    /// Reads a text in parts of so many bytes.
    static func read(_ bytes: [UInt8], part: Int) throws -> Snapshot {
        var reader = SnapshotReader()
        for start in stride(from: 0, to: bytes.count, by: part) {
            try reader.append(bytes[start..<min(start + part, bytes.count)])
        }
        return try reader.finish()
    }
}

@Suite("A snapshot")
struct SnapshotTests {
    @Test(
        "of Cosmian's is read with all values of an SNP policy and all pairs, also several of one path"
    )
    func cosmianSNP() throws {
        let snapshot = try Snapshot(parsing: Array(SnapshotSamples.cosmianSNP.utf8))
        guard case .snp(let policy) = snapshot.header.teePolicy else {
            Issue.record("no SNP policy")
            return
        }
        #expect(policy.measurement?.hex == SnapshotSamples.hex(1, 48))
        #expect(policy.reportData?.hex == SnapshotSamples.hex(2, 64))
        #expect(policy.familyID?.hex == SnapshotSamples.hex(3, 16))
        #expect(policy.imageID?.hex == SnapshotSamples.hex(4, 16))
        #expect(policy.guestSVN == 9)
        #expect(policy.idKeyDigest?.hex == SnapshotSamples.hex(5, 48))
        #expect(policy.authorKeyDigest?.hex == SnapshotSamples.hex(6, 48))
        #expect(policy.policy == 0x30000)
        #expect(policy.reportID?.hex == SnapshotSamples.hex(7, 32))
        #expect(policy.reportIDMA?.hex == SnapshotSamples.hex(0xff, 32))
        #expect(snapshot.header.tpmPolicy == .init(resetCount: 15, restartCount: 0))
        #expect(snapshot.header.cloudType == nil)
        #expect(snapshot.details == nil)
        #expect(snapshot.files?.count == 4)
        #expect(snapshot.files?.digests(of: Array("/usr/bin/bash".utf8)).count == 2)
        #expect(allows(snapshot, "/etc/a_b", SnapshotSamples.other))
        #expect(!allows(snapshot, "/etc/a_b", SnapshotSamples.digest))
    }

    @Test(
        "of Cosmian's is read with all values of a TDX policy; files that were not recorded are none"
    )
    func cosmianTDX() throws {
        let snapshot = try Snapshot(parsing: Array(SnapshotSamples.cosmianTDX.utf8))
        guard case .tdx(let policy) = snapshot.header.teePolicy else {
            Issue.record("no TDX policy")
            return
        }
        #expect(policy.minimumQESVN == 1)
        #expect(policy.minimumPCESVN == 2)
        #expect(policy.qeVendorID?.hex == SnapshotSamples.hex(1, 16))
        #expect(policy.minimumTEETCBSVN?.hex == SnapshotSamples.hex(2, 16))
        #expect(policy.mrSeam?.hex == SnapshotSamples.hex(3, 48))
        #expect(policy.tdAttributes?.hex == SnapshotSamples.hex(4, 8))
        #expect(policy.xfam == .max)
        #expect(policy.mrTD?.hex == SnapshotSamples.hex(5, 48))
        #expect(policy.mrConfigID?.hex == SnapshotSamples.hex(6, 48))
        #expect(policy.mrOwner?.hex == SnapshotSamples.hex(7, 48))
        #expect(policy.mrOwnerConfig?.hex == SnapshotSamples.hex(8, 48))
        #expect(policy.reportData?.hex == SnapshotSamples.hex(9, 64))
        #expect(snapshot.header.cloudType == "GCP")
        #expect(snapshot.header.tpmPolicy == nil)
        #expect(snapshot.files == nil)
        #expect(!allows(snapshot, "/etc/a_b", SnapshotSamples.other))
    }

    @Test("may have null for every value of a policy")
    func nulls() throws {
        let text = """
            {"tee_policy":{"Sev":{"measurement":null,"policy":null}},\
            "tpm_policy":{"reset_count":null,"restart_count":null},"filehashes":[]}
            """
        let snapshot = try Snapshot(parsing: Array(text.utf8))
        #expect(snapshot.header.teePolicy == .snp(SnapshotHeader.SNPPolicy()))
        #expect(snapshot.header.tpmPolicy == .init())
        #expect(snapshot.files?.count == 0)
    }

    @Test("of ours is read back as it was written, in parts of any size")
    func roundTrip() throws {
        let bytes = try SnapshotSamples.own
        for part in [1, 7, 100, bytes.count] {
            let snapshot = try SnapshotSamples.read(bytes, part: part)
            #expect(try snapshot.details == SnapshotSamples.details)
            #expect(snapshot.header.cloudType == "Azure")
            #expect(snapshot.header.tpmPolicy == .init(resetCount: 15))
            #expect(snapshot.packages.map(\.name) == ["bash", "empty"])
            #expect(snapshot.packages.first?.paths == ["/a", "/usr/share/b_c"])
            #expect(snapshot.owners(of: ["/a", "/z"]).mapValues(\.name) == ["/a": "bash"])
            #expect(allows(snapshot, "/a", SnapshotSamples.hex(1, 32)))
            #expect(allows(snapshot, "/b_\"c\\", SnapshotSamples.hex(2, 20)))
            var again: [UInt8] = []
            snapshot.write { again += $0 }
            #expect(again == bytes)
        }
    }

    @Test("of ours without the member bootgate is one of Cosmian's")
    func forCosmian() throws {
        var bytes: [UInt8] = []
        try Snapshot(parsing: SnapshotSamples.own).write(isForCosmian: true) { bytes += $0 }
        #expect(!String(decoding: bytes, as: UTF8.self).contains("bootgate"))
        let snapshot = try Snapshot(parsing: bytes)
        #expect(snapshot.details == nil)
        #expect(snapshot.packages.isEmpty)
        #expect(snapshot.files?.count == 2)
    }

    @Test("has its members in any order, and white space anywhere")
    func order() throws {
        let text = """
             \n{ "filehashes" : [ [ "/a" , "\(SnapshotSamples.digest)" ] ] ,\t"tpm_policy" : null,
            "tee_policy":null , "cloud\\u005ftype" : "AWS" }  \n
            """
        let snapshot = try SnapshotSamples.read(Array(text.utf8), part: 3)
        #expect(snapshot.header.cloudType == "AWS")
        #expect(snapshot.files?.count == 1)
    }

    @Test("is refused when it is cut short anywhere")
    func truncation() throws {
        let texts = [
            Array(SnapshotSamples.cosmianSNP.utf8), Array(SnapshotSamples.cosmianTDX.utf8),
            try SnapshotSamples.own.dropLast(),
        ]
        for bytes in texts {
            for length in bytes.indices {
                #expect(throws: ParseError.self) {
                    try Snapshot(parsing: Array(bytes.prefix(length)))
                }
            }
        }
    }

    @Test("is refused when something follows it")
    func trailingText() throws {
        for more in ["{}", ",", "x", "\0"] {
            #expect(throws: ParseError.self) {
                try Snapshot(parsing: SnapshotSamples.own + Array(more.utf8))
            }
        }
    }

    @Test("allows a file whose name a binary log has as it is, and a text has with underscores")
    func names() throws {
        var writer = SnapshotWriter(SnapshotHeader())
        let digest = [UInt8](repeating: 9, count: 32)
        for name in ["/a b\tc", "/é", "/n\u{a0}b\u{2028}", "/x\u{7f}\n"] {
            writer.file(path: name.utf8, digest: digest)
        }
        writer.file(path: Array("/bad".utf8) + [0xff, 0x2f, 0xc3], digest: digest)
        writer.end()
        let snapshot = try Snapshot(parsing: writer.take())
        for name in [
            "/a b\tc", "/a_b_c", "/a_b\tc", "/é", "/n_b_", "/n\u{a0}b ", "/x__", "/bad_/_",
        ] {
            #expect(allows(snapshot, name, Hex.encode(digest)), "\(name.debugDescription)")
        }
        let raw = Array("/bad".utf8) + [0xff, 0x2f, 0xc3]
        #expect(
            snapshot.allows(raw + digest, name: 0..<raw.count, digest: raw.count..<raw.count + 32))
        #expect(!allows(snapshot, "/ab_c", Hex.encode(digest)))
    }

    private func allows(_ snapshot: Snapshot, _ name: String, _ digest: String) -> Bool {
        let bytes = Array(name.utf8) + (Hex.decode(digest) ?? [])
        let count = name.utf8.count
        return snapshot.allows(bytes, name: 0..<count, digest: count..<bytes.count)
    }
}
