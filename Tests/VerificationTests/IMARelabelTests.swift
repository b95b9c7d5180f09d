import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

/// An entry's hash does not cover the name of its template, so a liar may serve the kernel's bytes under another.
@Suite("An entry under another template's name")
struct IMARelabelTests {
    private static let hashing = OpenSSLHashing()
    private static let evil = RuntimeSample.digest([0xee])
    private static let genuine = RuntimeSample.digest(Array("/bin/a".utf8))

    /// What the kernel writes for a program whose security.ima root has set to `03 3a 00` and the digest of the
    /// genuine one.
    private static let entry = IMALogBuilder.Entry(
        "/bin/a", sha256: evil, signature: [3] + Array(":".utf8) + [0] + genuine)

    private static func relabelled(_ template: String) -> IMALogBuilder.Entry {
        var entry = entry
        entry.template = template
        return entry
    }

    private func refusals(_ expectations: IMAExpectations, _ log: [UInt8]) -> [String] {
        var verifier = IMAVerifier(expectations)
        verifier.append(log[...])
        let result = verifier.finish()
        return result.findings.filter { $0.outcome == .refused }.map { "\($0.check): \($0.actual)" }
    }

    private func log(_ entries: [IMALogBuilder.Entry]) -> [UInt8] {
        IMALogBuilder(entries).binary { Self.hashing.digest(.sha1, $0) }
    }

    @Test(
        "is refused where it could choose its digest, although it replays to the quote",
        arguments: ["ima-sig", "sig|n-ng|d-ng", "d-ng|n-ng|d-ng", "d-ng|n-ng|d-modsig"])
    func snapshots(template: String) throws {
        var sample = try RuntimeSample()
        sample.entries.append(Self.relabelled(template))
        let result = try sample.verify()
        #expect(!result.isTrusted)
        #expect(result.checks(.refused) == ["snapshot"])
        #expect(result.finding("IMA replay")?.outcome == .ok)
        #expect(result.finding("IMA template hashes")?.outcome == .ok)
    }

    @Test(
        "is refused by a runtime policy too, and by its signature",
        arguments: ["sig|n-ng|d-ng", "d-ng|n-ng|d-ng"])
    func policies(template: String) throws {
        let first = IMALogBuilder.Entry("boot_aggregate", sha256: Self.evil)
        let text = """
            {"digests":{"/bin/a":["\(Hex.encode(Self.genuine))"]},"excludes":["boot_aggregate"]}
            """
        var expectations = IMAExpectations(quoted: [:])
        expectations.policy = try IMARuntimePolicy(parsing: Array(text.utf8))
        let bytes = log([first, Self.relabelled(template)])
        #expect(
            refusals(expectations, bytes) == [
                "IMA policy: entry 1, /bin/a: is of template \(template), by which any of its bytes "
                    + "can be called the digest"
            ])
        expectations.policy = nil
        expectations.signatures = .whenPresent([])
        #expect(refusals(expectations, bytes).map { $0.prefix(15) } == ["IMA signatures:"])
    }

    @Test("of the oldest one counts only where the kernel began its log with that")
    func legacy() throws {
        func legacy(_ path: String) -> [UInt8] {
            let digest = [UInt8](repeating: 0x1d, count: 20)
            let name = Array(path.utf8)
            let padded = name + [UInt8](repeating: 0, count: 256 - name.count)
            var writer = ByteWriter()
            writer.littleEndian(UInt32(10))
            writer.raw(Self.hashing.digest(.sha1, digest + padded))
            writer.littleEndian(UInt32(3))
            writer.raw("ima".utf8)
            writer.raw(digest)
            writer.littleEndian(UInt32(name.count))
            writer.raw(name)
            return writer.bytes
        }
        var rules = RuntimeRules()
        rules.allowances = [.path(try #require(PathGlob("/opt/**")))]
        var expectations = IMAExpectations(quoted: [:])
        var snapshot = Snapshot()
        snapshot.files = IMADigestTable()
        snapshot.files?.insert(name: "boot_aggregate".utf8, digest: Self.evil)
        snapshot.files?.insert(
            name: "boot_aggregate".utf8, digest: [UInt8](repeating: 0x1d, count: 20))
        expectations.reference = try RuntimeReference(snapshot: snapshot, rules: rules)
        #expect(refusals(expectations, legacy("boot_aggregate") + legacy("/opt/a")) == [])
        let first = log([IMALogBuilder.Entry("boot_aggregate", sha256: Self.evil)])
        #expect(
            refusals(expectations, first + legacy("/opt/a")).first?
                .hasPrefix("IMA policy: entry 1, /opt/a: is of template ima,") == true)
    }

    @Test("the boot aggregate is the first entry of the quoted register, and of no other")
    func aggregate() throws {
        var sample = try RuntimeSample()
        sample.start[3][0] ^= 1
        #expect(try sample.verify().checks(.refused) == ["IMA boot aggregate", "snapshot"])
        var forged = IMALogBuilder.Entry(
            "boot_aggregate", sha256: RuntimeSample.digest(Array(sample.start.joined())))
        forged.register = 11
        sample.foreign = [forged]
        #expect(try sample.verify().checks(.refused) == ["IMA boot aggregate", "snapshot"])
    }
}
