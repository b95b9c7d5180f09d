import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("The log of a running VM")
struct RuntimeLogTests {
    private func sample(
        adding entries: [IMALogBuilder.Entry] = [], allowing rules: [RuntimeRules.Allowance] = []
    ) throws -> RuntimeSample {
        var sample = try RuntimeSample()
        sample.entries += entries
        sample.rules.allowances = rules
        return sample
    }

    private func glob(_ text: String) throws -> RuntimeRules.Allowance {
        .path(try #require(PathGlob(text)))
    }

    @Test(
        "is refused for a file that the snapshot lacks or has otherwise, by path, digest and place")
    func unknown() throws {
        let other = IMALogBuilder.Entry("/bin/a", sha256: RuntimeSample.digest([9]))
        let result = try sample(adding: [RuntimeSample.file("/bin/new"), other]).verify()
        #expect(!result.isTrusted && result.checks(.refused) == ["snapshot"])
        #expect(result.problems.map(\.check) == ["snapshot", "snapshot"])
        #expect(result.problems.map(\.path) == ["/bin/new", "/bin/a"])
        #expect(result.problems.map(\.index) == [4, 5])
        #expect(
            result.problems[0].digest
                == "sha256:" + Hex.encode(RuntimeSample.digest(Array("/bin/new".utf8))))
        #expect(result.problems[0].detail == "is not in the snapshot")
        #expect(result.problems[1].detail.hasPrefix("has another digest than the snapshot's "))
        #expect(result.finding("snapshot")?.actual.hasSuffix("and 1 more") == true)
    }

    @Test(
        "tells files that the snapshot lacks while a maintenance window is open, and nothing else")
    func maintenance() throws {
        var sample = try sample(adding: [RuntimeSample.file("/bin/new")])
        sample.isUnderMaintenance = true
        let result = try sample.verify()
        #expect(result.isTrusted && !result.isHeldToSnapshot)
        #expect(result.finding("snapshot")?.outcome == .notChecked)
        #expect(result.finding("snapshot")?.note == "a maintenance window is open")
        #expect(result.problems.map(\.path) == ["/bin/new"])
        sample.attestation.resetCount += 1
        #expect(try sample.verify().checks(.refused) == ["reboot"])
    }

    @Test("takes the owner's further pairs as those of the snapshot")
    func further() throws {
        var sample = try sample(adding: [RuntimeSample.file("/bin/my own")])
        #expect(try sample.verify().checks(.refused) == ["snapshot"])
        sample.further = IMADigestTable()
        sample.further?.insert(
            name: "/bin/my_own".utf8, digest: RuntimeSample.digest(Array("/bin/my own".utf8)))
        #expect(try sample.verify().isTrusted)
        sample.snapshot?.files = nil
        #expect(try sample.verify().checks(.refused) == ["snapshot"])
    }

    static let rules: [(String, RuntimeRules.Allowance, inside: [String], outside: [String])] = [
        (
            "path", PathGlob("/opt/*/bin/**").map { .path($0) } ?? .package("none"),
            ["/opt/x/bin/a", "/opt/x/bin/a/b"], ["/opt/bin/a", "/opt/x/y/bin/a", "x/opt/x/bin/a"]
        ),
        ("package", .package("tool"), ["/usr/bin/tool", "/usr/lib/my_tool"], ["/usr/bin/tools"]),
        (
            "overlay", .overlay("/var/lib/layers"), ["/var/lib/layers/1/bin/sh"],
            ["/var/lib/layers", "/var/lib/layers2/x", "/x/var/lib/layers/1"]
        ),
    ]

    @Test("lets in what a rule names, counts it, and lets in nothing else", arguments: rules)
    func rule(
        kind: String, allowance: RuntimeRules.Allowance, inside: [String], outside: [String]
    ) throws {
        func sample(_ paths: [String], _ rules: [RuntimeRules.Allowance]) throws -> RuntimeSample {
            var sample = try self.sample(adding: paths.map(RuntimeSample.file), allowing: rules)
            var package = SnapshotPackage(
                name: "tool", version: "1", architecture: "amd64", manager: .dpkg)
            package.add(path: "/usr/bin/tool".utf8)
            package.add(path: "/usr/lib/my tool".utf8)
            sample.snapshot?.packages = [package]
            return sample
        }
        let result = try sample(inside, [.package("other"), allowance]).verify()
        #expect(result.isTrusted && result.isHeldToSnapshot)
        #expect(result.allowed.map(\.rule) == [allowance])
        #expect(result.allowed.map(\.count) == [inside.count])
        #expect(
            result.finding("snapshot")?.note == "let in: \(inside.count) by \(allowance)")
        for path in inside {
            #expect(try sample([path], []).verify().checks(.refused) == ["snapshot"], "\(path)")
        }
        for path in outside {
            let result = try sample([path], [allowance]).verify()
            #expect(result.checks(.refused) == ["snapshot"], "\(path)")
            #expect(result.allowed.isEmpty)
        }
    }

    @Test(
        "lets in a file that a signer has signed, and none whose signature is another's or of another file"
    )
    func signer() throws {
        let key = try SigningKey.generate(.rsa4096)
        let info = try key.publicKey.subjectPublicKeyInfo
        let stranger = try SigningKey.generate(.p256).publicKey.subjectPublicKeyInfo
        let identifier = try #require(FileSigningKey(parsing: info).identifiers.first)
        let message = Array("/new".utf8)
        var signature = ByteWriter()
        signature.raw([3, 2, 4])
        signature.bigEndian(identifier)
        signature.opaque(try key.sign(message, scheme: .rsaPKCS1(.sha256)), lengthBytes: 2)
        func entry(_ digest: [UInt8], _ signature: [UInt8]) -> IMALogBuilder.Entry {
            IMALogBuilder.Entry("/new", sha256: digest, signature: signature)
        }
        var changed = signature.bytes
        changed[changed.count - 1] ^= 1
        let digest = RuntimeSample.digest(message)
        let good = try sample(adding: [entry(digest, signature.bytes)], allowing: [.signer(info)])
            .verify()
        #expect(good.isTrusted && good.allowed.map(\.count) == [1])
        for (digest, bytes, key) in [
            (digest, signature.bytes, stranger), (digest, [], info),
            (RuntimeSample.digest([1]), signature.bytes, info),
            (digest, changed, info),
        ] as [([UInt8], [UInt8], [UInt8])] {
            let result = try sample(adding: [entry(digest, bytes)], allowing: [.signer(key)])
                .verify()
            #expect(result.checks(.refused) == ["snapshot"])
        }
        #expect(throws: RuntimeReferenceError.self) {
            _ = try sample(allowing: [.signer([0x30, 0])]).reference()
        }
    }

    @Test("lets no measured buffer in by its name")
    func buffers() throws {
        let digest = RuntimeSample.digest([1])
        let buffer = IMALogBuilder.Entry(
            "ima-buf",
            [Array("sha256:".utf8) + [0] + digest, Array("/opt/x".utf8) + [0], [1]], [])
        var sample = try sample(adding: [buffer], allowing: [glob("/opt/**"), .overlay("/opt")])
        #expect(try sample.verify().checks(.refused) == ["snapshot"])
        sample.snapshot?.files?.insert(name: "/opt/x".utf8, digest: digest)
        #expect(try sample.verify().isTrusted)
    }

    @Test("with a violation fails, or is told where the policy says so")
    func violations() throws {
        var violation = RuntimeSample.file("/bin/a")
        violation.templateHash = [UInt8](repeating: 0, count: 20)
        var sample = try sample(adding: [violation])
        #expect(try sample.verify().checks(.refused) == ["IMA violations"])
        sample.rules.violations = .warn
        let result = try sample.verify()
        #expect(result.isTrusted && result.checks(.notChecked).contains("IMA violations"))
    }

    @Test("that does not lead to the quote shows no file as passed")
    func otherLog() throws {
        var sample = try sample()
        let reference = try sample.reference()
        var log = RuntimeLog(of: try sample.verified(), against: reference)
        log?.append(sample.log(0..<3)[...])
        let result = try sample.verify(&log, reference)
        #expect(result.checks(.refused) == ["IMA replay"] && !result.isHeldToSnapshot)
        #expect(result.finding("snapshot")?.outcome == .notChecked)
        sample.start[3][0] ^= 1
        #expect(try sample.verify().checks(.refused).contains("IMA boot aggregate"))
    }

    @Test("stands by its first entry only as far as the registers of the start are quoted")
    func bootAggregate() throws {
        var sample = try sample()
        sample.attestation.selections = [(0x000b, [0x00, 0x04, 0x00])]
        // Nothing says what the first entry stands for, and the snapshot does not have it.
        #expect(try sample.verify().checks(.refused) == ["snapshot"])
        sample.snapshot?.files?.insert(
            name: "boot_aggregate".utf8,
            digest: RuntimeSample.digest(Array(sample.start.joined())))
        #expect(try sample.verify().isTrusted)
    }

    @Test("goes on where the last report ended, and judges then what was behind the quote")
    func proceeding() throws {
        var sample = try sample(adding: [RuntimeSample.file("/bin/late")])
        sample.quotedCount = 4
        let reference = try sample.reference()
        var log = try #require(RuntimeLog(of: try sample.verified(), against: reference))
        log.append(sample.log()[...])
        #expect(log.byteCount == UInt64(sample.log().count))
        var kept: RuntimeLog? = log
        let first = try sample.verify(&kept, reference)
        #expect(first.isTrusted && first.quotedCount == 4 && first.entryCount == 5)
        sample.entries.append(RuntimeSample.file("/bin/unused"))
        sample.quotedCount = nil
        let report = try sample.verified()
        #expect(kept?.proceed(to: report) == true)
        kept?.append(sample.log(5..<6)[...])
        #expect(kept?.byteCount == UInt64(sample.log().count))
        let second = try sample.verify(&kept, reference)
        #expect(second.checks(.refused) == ["snapshot"] && second.quotedCount == 6)
        #expect(second.problems.map(\.path) == ["/bin/late"])
    }

    @Test("begins anew after another boot, with other banks, or with other registers of the start")
    func notProceeding() throws {
        let changes: [(inout RuntimeSample) -> Void] = [
            { $0.attestation.resetCount += 1 }, { $0.attestation.restartCount += 1 },
            { $0.report.set(0x140, [0]) }, { $0.hasTPM = false }, { $0.isAuthentic = false },
            {
                $0.banks = [.sha256, .sha384]
                $0.start = $0.start.map { $0 + [UInt8](repeating: 0, count: 16) }
                $0.attestation.selections += [(0x000c, [0xff, 0x07, 0x00])]
            },
            { $0.start[9][0] ^= 1 },
            { $0.attestation.selections = [(0x000b, [0xfe, 0x07, 0x00])] },
        ]
        for (index, change) in changes.enumerated() {
            var sample = try sample()
            var log = try #require(
                RuntimeLog(of: try sample.verified(), against: sample.reference()))
            log.append(sample.log()[...])
            #expect(try log.proceed(to: sample.verified()))
            change(&sample)
            #expect(try !log.proceed(to: sample.verified()), "change \(index)")
        }
        let sample = try sample()
        var log = try #require(RuntimeLog(of: try sample.verified(), against: sample.reference()))
        log.append([UInt8](repeating: 0xff, count: 700)[...])
        #expect(try log.isUnreadable && !log.proceed(to: sample.verified()))
    }

    @Test("that was held against another snapshot counts for nothing")
    func otherReference() throws {
        let sample = try sample()
        var log = RuntimeLog(of: try sample.verified(), against: try sample.reference())
        log?.append(sample.log()[...])
        let result = try sample.verify(&log, sample.reference())
        #expect(!result.isTrusted && result.checks(.notChecked).contains("IMA replay"))
        #expect(
            result.finding("snapshot")?.note
                == "the log was held against another snapshot or other rules")
    }

    @Test("may come in parts of any size", arguments: [1, 7, 1000, 20000])
    func parts(size: Int) throws {
        var sample = try RuntimeSample()
        for index in 0..<300 {
            let path = "/usr/lib/\(index)"
            sample.entries.append(RuntimeSample.file(path))
            sample.snapshot?.files?.insert(
                name: path.utf8, digest: RuntimeSample.digest(Array(path.utf8)))
        }
        let reference = try sample.reference()
        var log = RuntimeLog(of: try sample.verified(), against: reference)
        let bytes = sample.log()
        for start in stride(from: 0, to: bytes.count, by: size) {
            log?.append(bytes[start..<min(start + size, bytes.count)])
        }
        let result = try sample.verify(&log, reference)
        #expect(result.isTrusted && result.quotedCount == 304)
    }
}
