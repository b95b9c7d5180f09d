import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("An IMA log counts only as far as a quote vouches for it")
struct IMAVerifierTests {
    private static let hashing = OpenSSLHashing()
    private static let digests = (0..<6).map { hashing.sha256([UInt8($0)]).bytes }
    private static let entries = (0..<6).map { index in
        IMALogBuilder.Entry(
            index == 0 ? "boot_aggregate" : "/bin/\(index)", sha256: digests[index])
    }

    private func sha1(_ data: [UInt8]) -> [UInt8] { Self.hashing.digest(.sha1, data) }

    private func log(_ entries: [IMALogBuilder.Entry]) -> [UInt8] {
        IMALogBuilder(entries).binary(hash: sha1)
    }

    /// What a kernel puts into PCR 10 for these entries.
    private func register(_ entries: [IMALogBuilder.Entry], _ bank: HashAlgorithm) -> [UInt8] {
        entries.reduce([UInt8](repeating: 0, count: bank.size)) { value, entry in
            Self.hashing.digest(bank, value + Self.hashing.digest(bank, entry.data))
        }
    }

    private func verify(
        _ log: [UInt8], _ expectations: IMAExpectations, form: IMALogForm? = nil
    ) -> IMAResult {
        var verifier = IMAVerifier(expectations, form: form)
        verifier.append(log[...])
        return verifier.finish()
    }

    private func refused(_ result: IMAResult) -> [String] {
        result.findings.filter { $0.outcome == .refused }.map(\.check)
    }

    @Test("a good log in either form is accepted, in each bank", arguments: HashAlgorithm.allCases)
    func good(bank: HashAlgorithm) {
        let expectations = IMAExpectations(quoted: [bank: register(Self.entries, bank)])
        let text = IMALogBuilder(Self.entries).text(hash: sha1)
        for log in [log(Self.entries), text] {
            let result = verify(log, expectations)
            #expect(result.isAccepted && result.quotedCount == 6, "\(result.findings)")
        }
        // The files for other banks have template hashes of those.
        let own = IMALogBuilder(Self.entries).binary { Self.hashing.digest(bank, $0) }
        #expect(verify(own, expectations).quotedCount == 6)
    }

    @Test("entries behind the quote are told, and judged with a later one")
    func prefix() throws {
        var expectations = IMAExpectations(
            quoted: [.sha256: register(Array(Self.entries.prefix(4)), .sha256)])
        expectations.policy = try policy(allowing: 1..<5)
        var verifier = IMAVerifier(expectations)
        verifier.append(log(Self.entries)[...])
        let first = verifier.finish()
        #expect(first.isAccepted && first.quotedCount == 4 && first.entryCount == 6)
        #expect(first.findings[2].note == "2 entries are behind the quote and not judged")
        verifier.expect(quoted: [.sha256: register(Self.entries, .sha256)])
        let second = verifier.finish()
        #expect(refused(second) == ["IMA policy"] && second.quotedCount == 6)
        let more = IMALogBuilder.Entry("/bin/1", sha256: Self.digests[1])
        verifier.expect(quoted: [.sha256: register(Self.entries + [more], .sha256)])
        verifier.append(log([more])[...])
        #expect(verifier.finish().quotedCount == 7)
    }

    @Test("each entry changed, dropped, moved or cut turns the verdict")
    func mutations() {
        let expectations = IMAExpectations(quoted: [.sha256: register(Self.entries, .sha256)])
        for index in Self.entries.indices {
            var changed = Self.entries
            changed[index].templateHash = sha1([9])
            #expect(refused(verify(log(changed), expectations)) == ["IMA template hashes"])
            changed = Self.entries
            changed[index].fields[0][20] ^= 1
            #expect(refused(verify(log(changed), expectations)) == ["IMA replay"])
            changed[index].templateHash = sha1(Self.entries[index].data)
            #expect(
                refused(verify(log(changed), expectations))
                    == ["IMA template hashes", "IMA replay"]
                    || refused(verify(log(changed), expectations)) == ["IMA replay"])
            changed = Self.entries
            changed[index].fields[1][0] ^= 1
            #expect(refused(verify(log(changed), expectations)).contains("IMA replay"))
            changed = Self.entries
            changed[index].register = 11
            #expect(refused(verify(log(changed), expectations)) == ["IMA replay"])
            changed = Self.entries
            changed.remove(at: index)
            #expect(refused(verify(log(changed), expectations)) == ["IMA replay"])
            changed = Self.entries
            changed[index].templateHash = [UInt8](repeating: 0, count: 20)
            #expect(refused(verify(log(changed), expectations)) == ["IMA replay"])
        }
        var swapped = Self.entries
        swapped.swapAt(2, 3)
        #expect(refused(verify(log(swapped), expectations)) == ["IMA replay"])
        let cut = log(Self.entries).dropLast()
        #expect(refused(verify(Array(cut), expectations)) == ["IMA log format"])
        #expect(refused(verify([], expectations)) == ["IMA log format"])
        #expect(refused(verify([1, 2, 3], expectations)) == ["IMA log format"])
    }

    @Test("a register of nothing but zeros needs an entry too")
    func untouched() {
        let expectations = IMAExpectations(quoted: [.sha256: [UInt8](repeating: 0, count: 32)])
        #expect(refused(verify(log(Self.entries), expectations)) == ["IMA replay"])
    }

    @Test("two banks have to fit after the same entry")
    func banks() {
        let whole = register(Self.entries, .sha1)
        let part = register(Array(Self.entries.prefix(5)), .sha256)
        let torn = verify(
            log(Self.entries), IMAExpectations(quoted: [.sha1: whole, .sha256: part]))
        #expect(refused(torn) == ["IMA replay"])
    }

    @Test("old kernels' padded digests are understood where allowed, and a mixture is not")
    func padded() {
        let padding = [UInt8](repeating: 0, count: 12)
        func extend(_ value: [UInt8], _ digest: [UInt8]) -> [UInt8] {
            Self.hashing.sha256(value + digest).bytes
        }
        let zero = [UInt8](repeating: 0, count: 32)
        let old = Self.entries.reduce(zero) { extend($0, sha1($1.data) + padding) }
        let mixed = Self.entries.enumerated().reduce(zero) { value, entry in
            entry.offset < 3
                ? extend(value, sha1(entry.element.data) + padding)
                : extend(value, Self.hashing.sha256(entry.element.data).bytes)
        }
        for (value, allows, isAccepted) in [
            (old, true, true), (old, false, false), (mixed, true, false),
        ] {
            var expectations = IMAExpectations(quoted: [.sha256: value])
            expectations.allowsPaddedSHA1 = allows
            #expect(verify(log(Self.entries), expectations).isAccepted == isAccepted)
        }
    }

    @Test("violations extend 0xFF and refuse only where they are forbidden")
    func violations() {
        var entries = Self.entries
        entries[3].templateHash = [UInt8](repeating: 0, count: 20)
        let value = entries.reduce([UInt8](repeating: 0, count: 32)) { value, entry in
            let digest =
                entry.templateHash == nil
                ? Self.hashing.sha256(entry.data).bytes : [UInt8](repeating: 0xff, count: 32)
            return Self.hashing.sha256(value + digest).bytes
        }
        var expectations = IMAExpectations(quoted: [.sha256: value])
        let told = verify(log(entries), expectations)
        #expect(told.isAccepted && told.problems.map(\.index) == [3])
        expectations.forbidsViolations = true
        #expect(refused(verify(log(entries), expectations)) == ["IMA violations"])
    }

    @Test("the boot aggregate is held against the registers of the start")
    func bootAggregate() throws {
        var registers = RegisterValues()
        for index in 0..<10 { registers[.sha256, index] = Self.digests[index % 6] }
        let all = (0..<10).flatMap { Self.digests[$0 % 6] }
        for (count, isGood) in [(10, true), (8, true), (9, false)] {
            var entries = Self.entries
            entries[0] = IMALogBuilder.Entry(
                "boot_aggregate", sha256: Self.hashing.sha256(Array(all.prefix(32 * count))).bytes)
            var expectations = IMAExpectations(quoted: [:])
            expectations.bootRegisters = registers
            let result = verify(log(entries), expectations)
            #expect(refused(result) == (isGood ? [] : ["IMA boot aggregate"]))
            // With registers at hand, something else in its place is refused too.
            entries.removeFirst()
            #expect(refused(verify(log(entries), expectations)) == ["IMA boot aggregate"])
        }
    }

    private func policy(allowing range: Range<Int>) throws -> IMARuntimePolicy {
        let members = range.map { "\"/bin/\($0)\":[\"\(Hex.encode(Self.digests[$0]))\"]" }
        let text = """
            {"digests":{\(members.joined(separator: ","))},"excludes":["boot_aggr"],\
            "keyrings":{".ima":["\(Hex.encode(Self.digests[0]))"]}}
            """
        return try IMARuntimePolicy(parsing: Array(text.utf8))
    }

    @Test("a file that the policy does not have, or has otherwise, is named")
    func policies() throws {
        var expectations = IMAExpectations(quoted: [:])
        expectations.policy = try policy(allowing: 1..<6)
        #expect(verify(log(Self.entries), expectations).isAccepted)
        var entries = Self.entries
        entries.append(IMALogBuilder.Entry("/bin/new", sha256: Self.digests[1]))
        entries.append(IMALogBuilder.Entry("/bin/2", sha256: Self.digests[1]))
        let result = verify(log(entries), expectations)
        #expect(refused(result) == ["IMA policy"])
        #expect(result.problems.map(\.path) == ["/bin/new", "/bin/2"])
        #expect(result.problems[0].detail == "is not in the policy")
        #expect(result.problems[1].detail.hasPrefix("has another digest than"))
        for (digest, isAllowed) in [(0, true), (1, false)] {
            let key = IMALogBuilder.Entry(
                "ima-buf",
                [
                    Array("sha256:".utf8) + [0] + Self.digests[digest], Array(".ima".utf8) + [0],
                    [1],
                ], [])
            #expect(verify(log(Self.entries + [key]), expectations).isAccepted == isAllowed)
        }
    }

    @Test("many files outside of the policy are counted, and the first ones kept")
    func manyProblems() throws {
        var expectations = IMAExpectations(quoted: [:])
        expectations.policy = try policy(allowing: 1..<2)
        let entries = (0..<500).map {
            IMALogBuilder.Entry("/new/\($0)", sha256: Self.digests[1])
        }
        let result = verify(log(entries), expectations)
        #expect(result.problems.count == IMAVerifier.maximumProblems)
        #expect(result.findings.last?.actual.hasSuffix("and 499 more") ?? false)
    }

    @Test("malformed signatures refuse, whatever else lets the file in")
    func malformedSignature() throws {
        let entries = [
            IMALogBuilder.Entry("/bin/1", sha256: Self.digests[1], signature: [3, 2, 4, 1])
        ]
        var expectations = IMAExpectations(quoted: [:])
        expectations.policy = try policy(allowing: 1..<2)
        #expect(verify(log(entries), expectations).isAccepted)
        for rule in [IMAExpectations.Signatures.whenPresent([]), .required([])] {
            expectations.signatures = rule
            #expect(refused(verify(log(entries), expectations)) == ["IMA signatures"])
        }
    }

    /// security.ima of a file with the contents `message`, signed by `key`.
    private func signature(
        _ message: [UInt8], _ key: borrowing SigningKey, _ identifier: UInt32, version: UInt8 = 2
    ) throws -> [UInt8] {
        var message = message
        if version == 3 { message = [3, 4] + Self.hashing.sha256(message).bytes }
        var signature: [UInt8]
        if key.kind == .p256 {
            signature = try key.sign(message, scheme: .ecdsa(.sha256))
            let halves = [signature.prefix(32), signature.suffix(32)].map { half in
                var number = Array(half.drop { $0 == 0 })
                if number.first ?? 0xff >= 0x80 { number.insert(0, at: 0) }
                return [2, UInt8(number.count)] + number
            }
            signature = [0x30, UInt8(halves[0].count + halves[1].count)] + halves[0] + halves[1]
        } else {
            signature = try key.sign(message, scheme: .rsaPKCS1(.sha256))
        }
        var writer = ByteWriter()
        writer.raw([3, version, 4])
        writer.bigEndian(identifier)
        writer.opaque(signature, lengthBytes: 2)
        return writer.bytes
    }

    @Test("signatures by a given key let a file in, others and changed ones do not")
    func signatures() throws {
        for kind in [SigningKey.Kind.p256, .rsa4096] {
            let key = try SigningKey.generate(kind)
            let info = try key.publicKey.subjectPublicKeyInfo
            let given = try FileSigningKey(parsing: info)
            let identifier = try #require(given.identifiers.first)
            let message: [UInt8] = [1, 2, 3]
            let digest = Self.hashing.sha256(message).bytes
            var expectations = IMAExpectations(quoted: [:])
            expectations.signatures = .required([given])
            for version in [2, 3] as [UInt8] {
                let good = try signature(message, key, identifier, version: version)
                for (signature, digest, isAccepted) in [
                    (good, digest, true), (good, Self.digests[3], false), ([], digest, false),
                    (good.dropLast() + [good[good.count - 1] ^ 1], digest, false),
                    (Array(good[..<3]) + [good[3] ^ 1] + good[4...], digest, false),
                ] {
                    let entry = IMALogBuilder.Entry("/f", sha256: digest, signature: signature)
                    let result = verify(log([entry]), expectations)
                    #expect(refused(result) == (isAccepted ? [] : ["IMA signatures"]))
                }
            }
            expectations.signatures = .whenPresent([given])
            #expect(verify(log(Self.entries), expectations).isAccepted)
        }
    }

    @Test("an envelope's policy counts only if a given key signed its very bytes")
    func envelopes() throws {
        for kind in [SigningKey.Kind.p384, .rsa4096] {
            let key = try SigningKey.generate(kind)
            let payload = Array(#"{"digests":{}}"#.utf8)
            let type = DSSEEnvelope.keylimePolicy
            let message =
                Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
            // ECDSA signatures of envelopes are in DER, which these are not.
            let scheme: VerificationKey.Scheme =
                kind == .rsa4096 ? .rsaPKCS1(.sha256) : .ecdsa(.sha384)
            let signature = try key.sign(message, scheme: scheme)
            for (payload, isAccepted) in [(payload, kind == .rsa4096), (payload + [32], false)] {
                let text = """
                    {"payload":"\(Base64.encode(payload))","payloadType":"\(type)",\
                    "signatures":[{"sig":"\(Base64.encode(signature))"}]}
                    """
                let opened = SignedRuntimePolicy.open(
                    Array(text.utf8), keys: [try key.publicKey])
                #expect((opened.policy != nil) == isAccepted)
                #expect((opened.finding.outcome == .ok) == isAccepted)
            }
        }
    }
}
