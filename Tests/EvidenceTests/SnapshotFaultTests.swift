import Bytes
import Evidence
import Testing

@Suite("A snapshot that is not as it must be")
struct SnapshotFaultTests {
    @Test(
        "names the member, and its place",
        arguments: [
            ("\"cloud_type\":\"Azure\"", "\"cloud_type\":7", "snapshot.cloud_type"),
            ("\"cloud_type\"", "\"cloudtype\"", "has no member cloudtype"),
            ("\"cloud_type\":\"Azure\"", "\"tpm_policy\":null", "stands twice"),
            ("\"tee_policy\"", "\"cloud_type\"", "snapshot"),
            ("\"Sev\"", "\"Sgx\"", "snapshot.tee_policy.Sgx"),
            ("\"Sev\"", "\"Arm\"", "must have one member, Sev or Tdx"),
            ("\"measurement\":\"01", "\"measurement\":\"", "snapshot.tee_policy.Sev.measurement"),
            ("\"family_id\"", "\"family\"", "has no member family"),
            ("\"policy\":196608", "\"policy\":-1", "snapshot.tee_policy.Sev.policy"),
            ("\"policy\":196608", "\"policy\":1.5", "snapshot.tee_policy.Sev.policy"),
            ("\"policy\":196608", "\"policy\":18446744073709551616", "tee_policy.Sev.policy"),
            ("\"reset_count\":15", "\"reset_count\":4294967296", "tpm_policy.reset_count"),
            ("\"reset_count\":15", "\"reset_count\":\"15\"", "tpm_policy.reset_count"),
            ("\"restart_count\"", "\"restarts\"", "has no member restarts"),
            ("\"filehashes\":[", "\"filehashes\":{", "an array"),
            ("\"filehashes\":[", "\"filehashes\":nul,[", "array or null"),
            ("[\"/a\",", "[7,", "snapshot.filehashes[0]"),
            ("[\"/a\",", "[\"\",", "snapshot.filehashes[0]"),
            ("[\"/a\",", "[\"/a\\x\",", "snapshot.filehashes[0]"),
            ("[\"/a\",", "[\"/a\n\",", "snapshot.filehashes[0]"),
            ("[\"/a\",", "[\"/a\"", "snapshot.filehashes[0]"),
            ("0202\"]", "02\"]", "snapshot.filehashes[1]"),
            ("0202\"]", "020g\"]", "snapshot.filehashes[1]"),
            ("0202\"]", "0202\",1]", "snapshot.filehashes[1]"),
            ("0202\"]]", "0202\"],]", "snapshot.filehashes[2]"),
            ("\"bootgate\":{", "\"bootgate\":[", "an object"),
            ("bootgate snapshot 1", "bootgate snapshot 2", "snapshot.bootgate.format"),
            ("\"vm\":\"web-1\"", "\"vm\":7", "snapshot.bootgate.vm"),
            ("\"vm\"", "\"id\"", "has no member id"),
            ("\"host_name\":\"web\"", "\"host_name\":\"\"", "snapshot.bootgate.host_name"),
            ("\"boot_id\":\"5a", "\"boot_id\":\"\\u001b", "snapshot.bootgate.boot_id"),
            ("\"time\":17", "\"time\":-17", "snapshot.bootgate.time"),
            ("\"hash\":\"sha256\"", "\"hash\":\"md5\"", "snapshot.bootgate.hash"),
            ("\"sha1\":", "\"sha2\":", "snapshot.bootgate.pcrs.sha2"),
            ("\"0\":\"01", "\"00\":\"01", "numbers of registers"),
            ("\"0\":\"01", "\"32\":\"01", "PCR"),
            ("\"0\":\"01", "\"0\":\"", "PCR 0 of sha256"),
            ("\"000b07\"", "\"000b0\"", "snapshot.bootgate.attestation_key_name"),
            ("\"entries\":2", "\"entries\":null", "snapshot.bootgate.ima.entries"),
            ("\"bytes\"", "\"octets\"", "has no member octets"),
            ("[\"/sys\"", "[1", "snapshot.bootgate.excluded"),
            ("\"skipped\":3", "\"skipped\":true", "snapshot.bootgate.skipped"),
            ("\"packages\":[", "\"packages\":null,[", "an array"),
            ("\"packages\"", "\"packs\"", "snapshot.bootgate"),
            ("\"name\":\"bash\"", "\"name\":\"\"", "snapshot.bootgate.packages[0]"),
            ("\"manager\":\"rpm\"", "\"manager\":\"apk\"", "snapshot.bootgate.packages[1]"),
            ("\"files\":[\"/a\"", "\"files\":[\"\"", "snapshot.bootgate.packages[0]"),
            ("\"files\":[\"/a\"", "\"files\":[7", "snapshot.bootgate.packages[0]"),
            ("\"files\":[]", "\"files\":[],\"more\":1", "snapshot.bootgate.packages[1]"),
        ])
    func wrongMembers(right: String, wrong: String, expected: String) throws {
        let text = String(decoding: try SnapshotSamples.own, as: UTF8.self)
        let parts = text.split(separator: right, maxSplits: 1, omittingEmptySubsequences: false)
        #expect(parts.count == 2, "the sample has \(right)")
        let bytes = Array(parts.joined(separator: wrong).utf8)
        for part in [1, bytes.count] {
            let error = #expect(throws: ParseError.self) {
                try SnapshotSamples.read(bytes, part: part)
            }
            #expect(
                error.map { "\($0)".contains(expected) } == true, "\(String(describing: error))")
        }
    }

    @Test(
        "has a member twice, or lacks one",
        arguments: [
            (
                #"{"tee_policy":null,"tpm_policy":null,"filehashes":[],"filehashes":[]}"#,
                "filehashes"
            ),
            (#"{"tee_policy":null,"tpm_policy":null}"#, "filehashes"),
            (#"{"tee_policy":null,"filehashes":null}"#, "tpm_policy"),
            (#"{"tpm_policy":null,"filehashes":null}"#, "tee_policy"),
            (#"{"tee_policy":null,"tpm_policy":null,"filehashes":null,"bootgate":{}}"#, "bootgate"),
            (#"{"bootgate":{"packages":[],"packages":[]}}"#, "snapshot.bootgate.packages twice"),
            (#"{"bootgate":{},"bootgate":{}}"#, "snapshot.bootgate twice"),
            (#"[]"#, "an object"), (#"{"tee_policy":{}}"#, "Sev or Tdx"), (#"{,}"#, "a string"),
            (#"{"tee_policy":[[[[[[[[[[1]]]]]]]]]],"tpm_policy":null,"filehashes":null}"#, "deep"),
        ])
    func members(text: String, expected: String) {
        let error = #expect(throws: ParseError.self) { try Snapshot(parsing: Array(text.utf8)) }
        #expect(error.map { "\($0)".contains(expected) } == true, "\(String(describing: error))")
    }

    @Test("is refused before its parts outgrow their bounds")
    func bounds() throws {
        let start = #"{"tee_policy":null,"tpm_policy":null,"#
        let path = String(repeating: "a", count: SnapshotPath.maximumByteCount)
        let pair = "\"filehashes\":[[\"\(path)\",\"\(SnapshotSamples.digest)\"]]}"
        #expect(try Snapshot(parsing: Array((start + pair).utf8)).files?.count == 1)
        let longer = pair.replacing("aa\"", with: "aaa\"")
        let texts = [
            start + longer, start + #""filehashes":[["\#(path)\#(path)"#,
            start + #""cloud_type":"\#(String(repeating: "a", count: 1 << 20))"}"#,
            #"{"bootgate":{"x":"\#(String(repeating: "a", count: 2 << 20))"#,
            #"{"\#(String(repeating: "a", count: 1000))"#,
        ]
        for text in texts {
            let error = #expect(throws: ParseError.self) { try Snapshot(parsing: Array(text.utf8)) }
            #expect(
                error.map { "\($0)".contains("at most") } == true, "\(String(describing: error))")
        }
    }

    @Test("costs no more where it comes byte by byte, and white space costs no memory")
    func parts() throws {
        var text = #"{"tee_policy":null,"tpm_policy":null,"filehashes":[["/"#
        text += String(repeating: "a", count: 8000) + "\",\"\(SnapshotSamples.digest)\"]"
        text += String(repeating: " ", count: 100_000) + "]}"
        #expect(try SnapshotSamples.read(Array(text.utf8), part: 1).files?.count == 1)
    }
}

@Suite("The difference of two snapshots")
struct SnapshotDifferenceTests {
    private func table(_ pairs: [(String, UInt8)]) -> IMADigestTable {
        var table = IMADigestTable()
        for (name, byte) in pairs {
            table.insert(name: name.utf8, digest: [UInt8](repeating: byte, count: 32))
        }
        return table
    }

    @Test("has what was added, removed and changed, with all digests of a path, in order")
    func difference() {
        let old = table([("/same", 1), ("/gone", 2), ("/new", 3), ("/two", 4), ("/two", 5)])
        let new = table([("/b", 6), ("/two", 5), ("/new", 7), ("/same", 1), ("/a", 6), ("/two", 3)])
        let difference = SnapshotDifference(old: old, new: new)
        #expect(difference.added.map(\.path) == ["/a", "/b"])
        #expect(difference.removed.map(\.path) == ["/gone"])
        #expect(difference.removed.first?.old == [[UInt8](repeating: 2, count: 32)])
        #expect(difference.changed.map(\.path) == ["/new", "/two"])
        #expect(difference.changed.last?.old.map(\.first) == [4, 5])
        #expect(difference.changed.last?.new.map(\.first) == [3, 5])
        #expect(!difference.isEmpty)
    }

    @Test("of a snapshot and itself is empty, and one without files counts as one with none")
    func empty() throws {
        let snapshot = try Snapshot(parsing: SnapshotSamples.own)
        #expect(SnapshotDifference(old: snapshot, new: snapshot).isEmpty)
        #expect(SnapshotDifference(old: Snapshot(), new: snapshot).added.count == 2)
    }
}
