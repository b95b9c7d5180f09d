import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("Real IMA logs", .enabled(if: Vectors.arePresent, "no BOOTGATE_VECTORS at hand"))
struct IMAVectorTests {
    private static let checks: [String: IMACheck] = [
        "malformed": .format, "ima-template-hash-mismatch": .templateHashes,
        "ima-pcr-mismatch": .replay, "ima-violation": .violations,
        "ima-signature-bad": .signatures, "ima-not-in-policy": .policy,
    ]

    private func verify(_ expectations: IMAExpectations, _ log: [UInt8], part: Int) -> IMAResult {
        var verifier = IMAVerifier(expectations)
        for start in stride(from: 0, to: log.count, by: part) {
            verifier.append(log[start..<min(start + part, log.count)])
        }
        return verifier.finish()
    }

    @Test(
        "every case gets its verdict, for the reason the case gives",
        arguments: try LogVector.entries(["ima-log-ascii", "ima-log-binary"]))
    func cases(entry: LogVector) throws {
        let log = try entry.file("ima-log-ascii", "ima-log-binary")
        for one in entry.cases {
            let policy = one["policy"]
            var expectations = IMAExpectations(quoted: [:])
            for bank in one["inputs"]?["pcr10"]?.members ?? [] {
                let hash = try #require(HashAlgorithm(rawValue: bank.name))
                expectations.quoted[hash] = bank.value.string.flatMap { Hex.decode($0) }
            }
            expectations.forbidsViolations = policy?["forbid_violations"] == .boolean(true)
            if let name = policy?["runtime_policy"]?.string {
                expectations.policy = try IMARuntimePolicy(parsing: try entry.file(named: name))
            }
            if let names = policy?["keys"]?.array {
                expectations.signatures = .required(
                    try names.map {
                        try FileSigningKey(
                            parsing: try entry.file(named: try #require($0.string)))
                    })
            }
            if policy?["ima_signatures"]?.string == "verify-when-present" {
                expectations.signatures = .whenPresent(
                    [try FileSigningKey(parsing: try entry.file("ima-file-signing-certificate"))])
            }
            let result = verify(expectations, log, part: 4096)
            #expect(result.findings.map(\.check) == IMACheck.allCases.map(\.rawValue))
            #expect(
                result.isAccepted == (one["result"]?.string == "accept"),
                "\(one["name"]?.string ?? "") \(result.findings)")
            if let reason = one["reason"]?.string {
                let check = try #require(Self.checks[reason])
                let refused = result.findings.filter { $0.outcome == .refused }.map(\.check)
                #expect(refused.contains(check.rawValue), "\(reason): \(refused)")
                if let failing = one["failing_entries"]?.array {
                    #expect(
                        result.problems.filter { $0.check == check }.map(\.index)
                            == failing.compactMap(\.integer))
                }
            }
            if let count = one["name"]?.string?.split(separator: "-").dropFirst(2).first {
                if let count = Int(count) { #expect(result.quotedCount == count) }
            }
        }
    }

    @Test(
        "entries, violations and both kinds of replay are as the index has them",
        arguments: try LogVector.entries(["ima-log-ascii", "ima-log-binary"]))
    func replays(entry: LogVector) throws {
        let expect = try #require(entry.value["expect"])
        guard expect["parse"]?.string == "ok" else { return }
        let log = try entry.file("ima-log-ascii", "ima-log-binary")
        for name in ["pcr10", "pcr10_if_sha1_digest_zero_padded"] {
            for bank in expect[name]?.members ?? [] {
                let hash = try #require(HashAlgorithm(rawValue: bank.name))
                let value = try #require(bank.value.string.flatMap { Hex.decode($0) })
                var expectations = IMAExpectations(quoted: [hash: value])
                expectations.allowsPaddedSHA1 = name != "pcr10"
                let result = verify(expectations, log, part: 1000)
                #expect(result.entryCount == expect["entries"]?.integer)
                #expect(result.quotedCount == result.entryCount, "\(name) \(bank.name)")
                let mismatches = expect["template_hash_mismatches"]?.array ?? []
                #expect(result.isAccepted == mismatches.isEmpty)
            }
        }
    }

    @Test("a log may come in parts of any size", arguments: [1, 7, 63, 1 << 20])
    func parts(size: Int) throws {
        for id in ["ima-templates", "ima-keylime-signatures"] {
            let entry = try #require(
                try LogVector.entries(["ima-log-ascii", "ima-log-binary"]).first { $0.id == id })
            let values = try #require(entry.value["expect"]?["pcr10"])
            let sha256 = try #require(values["sha256"]?.string.flatMap { Hex.decode($0) })
            let log = try entry.file("ima-log-ascii", "ima-log-binary")
            let result = verify(IMAExpectations(quoted: [.sha256: sha256]), log, part: size)
            #expect(result.isAccepted && result.quotedCount == result.entryCount)
        }
    }

    @Test(
        "the logs beside a real report and quote lead to its register, or do not",
        arguments: try LogVector.entries(["snp+tpm+ima"]))
    func bound(entry: LogVector) throws {
        let values = try JSONReader.parse(
            try entry.file("pcr-values"), limits: JSONReader.Limits(byteCount: 1 << 20)
        ).registerValues
        let quoted = try #require(values[.sha1, 10])
        let result = verify(
            IMAExpectations(quoted: [.sha1: quoted]), try entry.file("ima-log-ascii"), part: 512)
        let wanted = entry.value["expect"]?["ima_entries_matching_quote"]?.integer
        #expect(result.quotedCount == wanted)
        #expect(result.isAccepted == (wanted != nil))
    }

    @Test("policies are read, signed ones only with a good signature")
    func policies() throws {
        let entries = try LogVector.entries(["ima-runtime-policy"])
        for entry in entries where entry.id != "ima-runtime-policy-dsse" {
            let allowed = try IMARuntimePolicy(parsing: try entry.file("allowlist"))
            #expect(allowed.digests.count == 1)
            #expect(
                try IMARuntimePolicy(parsing: try entry.file("keylime-runtime-policy")).digests
                    .count == 1)
            let result = verify(
                IMAExpectations(quoted: [:]), try entry.file("ima-log-ascii"), part: 100)
            #expect(result.entryCount == 2)
            #expect(result.findings[0].outcome == .ok)
        }
        let signed = try #require(entries.first { $0.id == "ima-runtime-policy-dsse" })
        let key = try VerificationKey(pem: try signed.file("public-key"))
        for one in signed.cases {
            let name = try #require(one["inputs"]?["policy"]?.string)
            let opened = SignedRuntimePolicy.open(try signed.file(named: name), keys: [key])
            #expect((opened.finding.outcome == .ok) == (one["result"]?.string == "accept"))
            #expect(opened.policy?.digests.count == (opened.finding.outcome == .ok ? 21 : nil))
            #expect(SignedRuntimePolicy.open(try signed.file(named: name), keys: []).policy == nil)
        }
        let plain = try IMARuntimePolicy(parsing: try signed.file("keylime-runtime-policy"))
        #expect(plain.keyrings.count == 1 && plain.logHash == .sha1)
    }
}
