import Bytes
import Evidence
import Testing

@Suite("Exclude patterns match as Python's re.match does")
struct PathPatternTests {
    private func matches(_ pattern: String, _ path: String) throws -> Bool {
        let bytes = Array(("x" + path).utf8)
        return try PathPattern(anyOf: [pattern]).matches(bytes, 1..<bytes.count)
    }

    @Test(
        "where they should",
        arguments: [
            ("/tmp/.*", "/tmp/a"), ("/tmp", "/tmp/a"), ("^/tmp/", "/tmp/a"), ("", "/a"),
            (".*\\.pyc$", "/a/b.pyc"), ("/(a|bb|)c", "/c"), ("/[a-c]+$", "/abc"),
            ("/[^/]+/x$", "/abc/x"), ("/a{2,3}$", "/aa"), ("/a{2}b", "/aab"), ("/a{2,}$", "/aaaa"),
            ("/a??b", "/b"), ("(?:/x)+$", "/x/x"), ("/\\d+\\w\\s\\S$", "/12a b"),
            ("/[]a]+$", "/]a"),
            ("/[a\\]-]$", "/-"), ("/[\\d.]+$", "/1.2"), ("a|/b", "/b"), ("/\\$x\\.", "/$x."),
            ("\\A/a", "/a"), ("(|a)*$", ""), ("((a*)*)*b", "aab"), ("/é", "/é"), ("/a$", "/a\n"),
        ])
    func positive(pattern: String, path: String) throws {
        #expect(try matches(pattern, path))
    }

    @Test(
        "and not where they should not",
        arguments: [
            ("/tmp/.*", "/var/tmp/a"), ("^tmp", "/tmp"), (".*\\.pyc$", "/b.pyca"),
            ("/a.c", "/a\nc"),
            ("/[^/]+/x$", "//x"), ("/a{2,3}$", "/aaaa"), ("/a{2}", "/a"), ("/\\D", "/1"),
            ("/a^b", "/ab"), ("/a$b", "/ab"), ("/[a-c]", "/d"), ("(a|b)c", "dc"), ("/a\\.", "/ab"),
        ])
    func negative(pattern: String, path: String) throws {
        #expect(try !matches(pattern, path))
    }

    @Test(
        "others are refused by name",
        arguments: [
            "(a", "a)", "[a", "*a", "a**", "a++", "a{", "a{,3}", "a{3,1}", "a{999}", "(?=a)",
            "(?i)a",
            "(?P<n>a)", "a\\b", "\\1", "\\Z", "\\", "[z-a]", "[é]", "a{2}{3}",
            String(repeating: "a", count: 5000), String(repeating: "(", count: 40),
            "((((a{99}){99}){99}){99}){99}", "(((((){256}){256}){256}){256}){256}",
        ])
    func refused(pattern: String) {
        #expect(throws: ParseError.self) { try PathPattern(anyOf: ["ok", pattern]) }
    }

    @Test("no pattern matches nothing, several match where one does")
    func several() throws {
        let path = Array("/b".utf8)
        #expect(try !PathPattern(anyOf: []).matches(path, 0..<2))
        #expect(try PathPattern(anyOf: ["/a", "/b"]).matches(path, 0..<2))
        #expect(try !PathPattern(anyOf: ["/a", "/c"]).matches(path, 0..<2))
    }

    @Test("what makes others run for ever takes a moment", .timeLimit(.minutes(15)))
    func catastrophic() throws {
        let path = [UInt8](repeating: UInt8(ascii: "a"), count: 4096)
        for pattern in ["(a*)*b", "(a|aa)+$b", "(.*)*x", "a?{1}".replacing("{1}", with: "")] {
            _ = try PathPattern(anyOf: [pattern]).matches(path, 0..<path.count)
        }
    }
}

@Suite("Runtime policies")
struct IMARuntimePolicyTests {
    private static let sha1 = String(repeating: "ab", count: 20)
    private static let good = """
        {"meta":{"version":1},"release":0,"digests":{"/a":["\(sha1)","sha1:\(sha1)"]},
        "excludes":["/tmp/.*"],"keyrings":{".ima":["\(sha1)"]},
        "ima":{"ignored_keyrings":[".evm"],"log_hash_alg":"sha1","dm_policy":null},
        "ima-buf":{"cmdline":["\(sha1)"]},"verification-keys":""}
        """

    private func contains(_ table: IMADigestTable, _ name: String, _ digest: String) -> Bool {
        let name = Array(name.utf8)
        let bytes = name + (Hex.decode(digest) ?? [])
        return table.contains(bytes, name: 0..<name.count, digest: name.count..<bytes.count)
    }

    @Test("in JSON have all of their members read")
    func golden() throws {
        let policy = try IMARuntimePolicy(parsing: Array(Self.good.utf8))
        #expect(policy.digests.count == 1 && contains(policy.digests, "/a", Self.sha1))
        #expect(!contains(policy.digests, "/b", Self.sha1))
        #expect(!contains(policy.digests, "/a", String(repeating: "ac", count: 20)))
        #expect(policy.logHash == .sha1 && policy.verificationKeys.isEmpty)
        for (name, isAllowed) in [(".ima", true), ("cmdline", true), (".evm", true), ("/a", false)]
        {
            let bytes = Array(name.utf8) + (Hex.decode(Self.sha1) ?? [])
            #expect(
                policy.allowsBuffer(
                    bytes, name: 0..<name.utf8.count, digest: name.utf8.count..<bytes.count)
                    == isAllowed)
        }
    }

    @Test(
        "in JSON are refused for what is wrong or unknown",
        arguments: [
            ("\"release\"", "\"releases\""), ("\"digests\"", "\"meta2\""), ("[\"\(sha1)\",", "[7,"),
            ("abab", "xyab"), ("abab", ""), ("sha1:ab", "sha256:ab"), ("/tmp/.*", "(?=x)"),
            ("null", "{}"), ("\"log_hash_alg\":\"sha1\"", "\"log_hash_alg\":\"md5\""),
            ("\"dm_policy\"", "\"more\""), ("[\".evm\"]", "7"), (":\"\"}", ":7}"),
            (":\"\"}", ":\"x\"}"),
        ])
    func mutations(old: String, new: String) {
        let changed = Self.good.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != Self.good)
        #expect(throws: ParseError.self) { try IMARuntimePolicy(parsing: Array(changed.utf8)) }
    }

    @Test("in lines hold a digest and a name each")
    func lines() throws {
        let text = "\(Self.sha1)  /a b\n\(Self.sha1) */c\n\n\(Self.sha1) /d"
        let policy = try IMARuntimePolicy(parsing: Array(text.utf8))
        #expect(policy.digests.count == 3)
        for name in ["/a b", "/c", "/d"] { #expect(contains(policy.digests, name, Self.sha1)) }
        for text in ["x  /a", Self.sha1, "\(Self.sha1) ", "\(Self.sha1)  ", "abab  /a"] {
            #expect(throws: ParseError.self) { try IMARuntimePolicy(parsing: Array(text.utf8)) }
        }
    }

    @Test("keep every pair through many insertions")
    func table() {
        var table = IMADigestTable()
        for index in 0..<5000 {
            table.insert(
                name: "/\(index / 2)".utf8, digest: [UInt8](repeating: UInt8(index % 2), count: 32))
        }
        #expect(table.count == 5000)
        for index in 0..<2500 {
            for value in ["00", "01", "02"] {
                let digest = String(repeating: value, count: 32)
                #expect(contains(table, "/\(index)", digest) == (value != "02"))
            }
        }
        #expect(table.digests(of: Array("/7".utf8)).count == 2)
    }

    @Test("keep names of every length that a log can have, and leave out longer ones")
    func longNames() {
        var table = IMADigestTable()
        // More than a million bytes, which is where a second block begins.
        let counts = [0, 1, 255, 256, 257, 8192] + Array(65510...65536)
        for count in counts {
            let name = [UInt8](repeating: UInt8(ascii: "a"), count: count)
            table.insert(name: name, digest: [UInt8](repeating: 7, count: 64))
            table.insert(name: name, digest: [UInt8](repeating: 7, count: 256))
        }
        var kept: [Int] = []
        table.forEach { bytes, name, digest in
            #expect(table.contains(bytes, name: name, digest: digest))
            #expect(!table.contains(bytes, name: name, digest: digest.dropLast()))
            kept.append(name.count)
        }
        #expect(kept == counts.dropLast())
        #expect(table.count == kept.count)
    }

    @Test("in an envelope are what was signed, and nothing more")
    func envelope() throws {
        let text = """
            {"payload":"e30=","payloadType":"application/vnd.keylime+json",\
            "signatures":[{"keyid":"x","sig":"AQI="}]}
            """
        let envelope = try DSSEEnvelope(parsing: Array(text.utf8))
        #expect(envelope.signatures == [[1, 2]])
        #expect(
            envelope.signedBytes == Array("DSSEv1 28 application/vnd.keylime+json 2 {}".utf8))
        for (old, new) in [
            ("e30=", "e30"), ("\"payloadType\"", "\"type\""), ("AQI=", "AQI"),
            ("[{\"keyid\":\"x\",\"sig\":\"AQI=\"}]", "[]"), ("\"sig\"", "\"sign\""),
        ] {
            let changed = text.replacing(old, with: new)
            #expect(throws: ParseError.self) { try DSSEEnvelope(parsing: Array(changed.utf8)) }
        }
    }
}
