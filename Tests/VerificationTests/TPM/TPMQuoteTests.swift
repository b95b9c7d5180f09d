import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("TPM quote verification")
struct TPMQuoteTests {
    @Test(
        "a genuine quote gives claims, by every scheme",
        arguments: [
            (.p256, .ecdsa(.sha256)), (.p384, .ecdsa(.sha384)), (.p256, .ecdsa(.sha512)),
            (.rsa4096, .rsaPKCS1(.sha256)), (.rsa4096, .rsaPSS(.sha384)),
        ] as [(SigningKey.Kind, VerificationKey.Scheme)])
    func genuine(kind: SigningKey.Kind, scheme: VerificationKey.Scheme) throws {
        let tpm = try TestTPM(kind, scheme)
        let result = try tpm.verify()
        #expect(result.refused.isEmpty, "\(result.findings)")
        let claims = try #require(result.claims)
        #expect(claims.keyTrust == .nothing)
        #expect(claims.pcrs == tpm.values)
        #expect(claims.resetCount == 7 && claims.restartCount == 3)
        #expect(claims.clock == 0x0102_0304_0506 && claims.isClockSafe)
        #expect(result.findings.map(\.check) == TPMCheck.allCases.map(\.rawValue))
        #expect(
            result.notChecked == [
                "TPM key chain", "TPM key root", "TPM key dates", "TPM key revocation",
                "TPM key trust",
            ])
    }

    /// One change for each rule, and the check that it turns.
    private static let mutations: [(String, TPMCheck, @Sendable (inout TestTPM) throws -> Void)] = [
        ("magic", .quote, { $0.quote.magic ^= 1 }),
        ("type", .quote, { $0.quote.type = 0x8017 }),
        ("nonce", .nonce, { $0.quote.extraData[31] ^= 1 }),
        ("shorter nonce", .nonce, { $0.quote.extraData.removeLast() }),
        ("longer nonce", .nonce, { $0.quote.extraData.append(0) }),
        ("fewer registers", .selection, { $0.quote.selections[0].bitmap[0] = 0x11 }),
        ("more registers", .selection, { $0.quote.selections[0].bitmap[2] = 1 }),
        ("other bank", .selection, { $0.quote.selections[0].bank = 0x000c }),
        ("digest", .digest, { $0.quote.pcrDigest[0] ^= 1 }),
        (
            "value", .digest,
            { tpm in
                var values = PCRValues()
                for index in [0, 4, 7, 10] as [UInt8] {
                    try values.insert(Array(repeating: 9, count: 32), at: index, in: .sha256)
                }
                tpm.values = values
            }
        ),
        (
            "missing value", .digest,
            { tpm in
                let selection = PCRSelection([.sha256: [0, 4, 7]])
                tpm.values = tpm.values.restricted(to: try #require(selection))
            }
        ),
        ("not restricted", .key, { $0.area.attributes &= ~(1 << 16) }),
        ("not a signing key", .key, { $0.area.attributes &= ~(1 << 18) }),
        ("not fixedTPM", .key, { $0.area.attributes &= ~(1 << 1) }),
        ("not fixedParent", .key, { $0.area.attributes &= ~(1 << 4) }),
        ("made elsewhere", .key, { $0.area.attributes &= ~(1 << 5) }),
        ("decrypts too", .key, { $0.area.attributes |= 1 << 17 }),
        ("signs certificates", .key, { $0.area.attributes |= 1 << 19 }),
        ("key for another scheme", .signature, { $0.area.scheme = [0, 0x18, 0, 0x0c] }),
        ("key named by SHA-1", .algorithms, { $0.area.nameAlgorithm = 0x0004 }),
        (
            "key without its name", .keyTrust,
            { tpm in
                tpm.trust = .teeReport(keyName: try tpm.name.bytes)
                tpm.knowsPublicArea = false
            }
        ),
        (
            "key of another name", .keyTrust,
            { tpm in
                tpm.trust = .teeReport(keyName: try tpm.name.bytes)
                tpm.area.attributes ^= 1 << 6
            }
        ),
    ]

    @Test("each rule turns with its field, and no claims are left", arguments: mutations.indices)
    func mutated(index: Int) throws {
        let (name, check, change) = Self.mutations[index]
        var tpm = try TestTPM()
        try change(&tpm)
        let result = try tpm.verify()
        #expect(result.refused.contains(check.rawValue), "\(name): \(result.refused)")
        #expect(result.claims == nil, "\(name)")
        #expect(result.findings.count == TPMCheck.allCases.count)
    }

    @Test("no rule is left that nothing turns")
    func everyRuleTurns() {
        // The four on certificates are turned in KeyCertificateTests.
        let certificates: Set<TPMCheck> = [.keyChain, .keyRoot, .keyDates, .keyRevocation]
        let turned = Set(Self.mutations.map(\.1)).union(certificates)
        #expect(Set(TPMCheck.allCases).subtracting(turned).isEmpty)
    }

    @Test("each signed bit turns the signature or the reading")
    func signedBits() throws {
        let tpm = try TestTPM()
        let signature = try tpm.sign(tpm.quote.bytes)
        for offset in tpm.quote.bytes.indices {
            var bytes = tpm.quote.bytes
            bytes[offset] ^= 1 << (offset % 8)
            let result = try tpm.verify(bytes, signature)
            #expect(!result.refused.filter { $0 == "TPM signature" || $0 == "TPM quote" }.isEmpty)
            #expect(result.claims == nil)
        }
        for offset in signature.indices {
            var bytes = signature
            bytes[offset] ^= 1
            let result = try tpm.verify(tpm.quote.bytes, bytes)
            #expect(!result.refused.isEmpty && result.claims == nil, "offset \(offset)")
        }
        for bytes in [signature + [0], Array(signature.dropLast())] {
            #expect(try tpm.verify(tpm.quote.bytes, bytes).refused == ["TPM quote"])
        }
    }

    @Test("numbers without leading zeros and with too many are what the TPM wrote")
    func paddedNumbers() throws {
        let tpm = try TestTPM()
        // Sign until r begins with a zero byte, which a TPM may leave out.
        for attempt in 0..<4096 {
            var quote = tpm.quote
            quote.clock = UInt64(attempt)
            let signature = try tpm.sign(quote.bytes)
            let s = Array(signature.suffix(32))
            let r = Array(signature.dropFirst(6).prefix(32))
            guard r[0] == 0 else { continue }
            for written in [Array(r.dropFirst()), r] {
                var writer = ByteWriter()
                writer.raw(TestTPM.tpmScheme(tpm.scheme))
                writer.opaque(written, lengthBytes: 2)
                writer.opaque(s, lengthBytes: 2)
                #expect(try tpm.verify(quote.bytes, writer.bytes).claims != nil)
            }
            var writer = ByteWriter()
            writer.raw(TestTPM.tpmScheme(tpm.scheme))
            writer.opaque([0] + r, lengthBytes: 2)
            writer.opaque(s, lengthBytes: 2)
            #expect(try tpm.verify(quote.bytes, writer.bytes).refused == ["TPM signature"])
            return
        }
        Issue.record("no signature with a leading zero in 4096")
    }

    @Test("what was not asked is not checked, and without a nonce there are claims only on demand")
    func notAsked() throws {
        var tpm = try TestTPM()
        tpm.expected = TPMQuoteVerifier.Expectation(nonce: nil)
        tpm.givesValues = false
        tpm.knowsPublicArea = false
        let result = try tpm.verify()
        #expect(result.refused.isEmpty)
        let unasked = ["TPM key", "TPM nonce", "PCR selection", "PCR digest"]
        #expect(result.notChecked.prefix(4) == unasked[...])
        #expect(result.claims == nil)
        tpm.expected.nonceIsOptional = true
        #expect(try tpm.verify().claims?.pcrs == PCRValues())
    }

    @Test("values of registers that were not quoted do not become claims")
    func unquotedValues() throws {
        var tpm = try TestTPM()
        try tpm.values.insert(Array(repeating: 1, count: 32), at: 11, in: .sha256)
        #expect(try tpm.verify().claims?.pcrs[.sha256, 11] == nil)
        #expect(try tpm.verify().claims?.pcrs[.sha256, 10] != nil)
    }

    @Test("a SHA-1 bank shows, and a signature over SHA-1 is refused unless it is allowed")
    func weak() throws {
        var bank = try TestTPM()
        bank.quote.selections = [(0x0004, [0x01, 0, 0])]
        bank.values = PCRValues()
        try bank.values.insert(Array(repeating: 1, count: 20), at: 0, in: .sha1)
        bank.quote.pcrDigest = OpenSSLHashing().sha256(Array(repeating: 1, count: 20)).bytes
        bank.expected.selection = PCRSelection([.sha1: [0]])
        let shown = try bank.verify()
        #expect(shown.outcome(.algorithms) == "not checked" && shown.claims != nil)
        #expect(shown.weakAlgorithms == ["SHA-1 bank"])

        var signed = try TestTPM(.p256, .ecdsa(.sha1))
        #expect(try signed.verify().refused == ["TPM algorithms"])
        #expect(try signed.verify().claims == nil)
        signed.expected.allowsSHA1Signature = true
        #expect(try signed.verify().claims != nil)
        #expect(try signed.verify().weakAlgorithms == ["signature by SHA-1"])
    }
}
