import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("TDX chains that are wrong in one way")
struct TDXChainTests {
    private let ofRoot: Set<TDXCheck> = [
        .revocation, .endorsedPlatform, .quotingEnclave, .moduleIdentity, .tcbLevel,
    ]

    private func refusals(
        at time: Int64 = TestPCS.now, _ change: (inout TestPCS) throws -> Void
    ) throws -> [TDXCheck] {
        var pcs = try TestPCS()
        try change(&pcs)
        let result = try pcs.verify(at: time)
        #expect(result.claims == nil)
        return result.refused
    }

    /// What is refused of a genuine quote with another text in place of its chain.
    private func refusals(chain: [UInt8], _ pcs: TestPCS) throws -> [TDXCheck] {
        var quote = pcs.quote
        quote.chain = chain
        let result = TDXVerifier(anchors: pcs.anchors).verify(
            quoteBytes: try pcs.signed(quote), collateral: try pcs.collateral,
            expected: pcs.expected, at: TestPCS.now)
        #expect((result.claims == nil) == !result.refused.isEmpty)
        return result.refused
    }

    @Test("each certificate before its time and after is refused")
    func dates() throws {
        let certificates: [WritableKeyPath<TestPCS, TestPCS.Certificate>] = [
            \.root, \.ca, \.pck, \.tcb,
        ]
        for path in certificates {
            #expect(
                try refusals { $0[keyPath: path].template.notAfter = TestPCS.now - 1 }
                    == [.certificateDates])
            #expect(
                try refusals { $0[keyPath: path].template.notBefore = TestPCS.now + 1 }
                    == [.certificateDates])
        }
        var pcs = try TestPCS()
        pcs.pck.template.notAfter = TestPCS.now
        #expect(try pcs.verify().claims != nil)
        pcs.pck.template.notBefore = TestPCS.now
        #expect(try pcs.verify().claims != nil)
        #expect(
            try pcs.verify(at: TestPCS.now + 1).findings
                .first { $0.check == "certificate dates" }?.actual.contains("expired") == true)
        #expect(
            try pcs.verify(at: TestPCS.now - 1).findings
                .first { $0.check == "certificate dates" }?.actual.contains("not yet valid")
                == true)
    }

    @Test("a certificate that its issuer did not sign, or that has the wrong marks, is refused")
    func marks() throws {
        #expect(try refusals { $0.pck.issuer = .stranger } == [.chain])
        #expect(try refusals { $0.pck.key = .stranger } == [.qeReport])
        #expect(try refusals { $0.pck.template.issuer.commonName = "other" } == [.chain])
        #expect(try refusals { $0.pck.template.subject.commonName = "other" } == [.chain])
        #expect(try refusals { $0.pck.template.isCA = true } == [.chain])
        #expect(
            try refusals {
                $0.pck.template.extensions = [
                    .init(oid: "1.2.3.4", value: [5, 0], isCritical: true)
                ]
            } == [.chain])
        #expect(try refusals { $0.platform = nil } == [.chain])
        #expect(try refusals { $0.platform?.without = [4] } == [.chain])
        // The CA signs quotes' chains and the list of PCKs, so both are refused.
        let both: [TDXCheck] = [.chain, .revocationLists]
        #expect(try refusals { $0.ca.issuer = .stranger } == both)
        #expect(try refusals { $0.ca.template.isCA = false } == both)
        #expect(try refusals { $0.ca.key = .stranger } == both)
        #expect(
            try refusals {
                $0.ca.template.subject.commonName = "Intel SGX Something CA"
                $0.pck.template.issuer.commonName = "Intel SGX Something CA"
                $0.pckCRL.issuer.commonName = "Intel SGX Something CA"
            } == both)
        let documents: [TDXCheck] = [.tcbInfo, .qeIdentity]
        #expect(try refusals { $0.tcb.issuer = .stranger } == documents)
        #expect(try refusals { $0.tcb.issuer = .ca } == documents)
        #expect(try refusals { $0.tcb.key = .stranger } == documents)
        #expect(try refusals { $0.tcb.template.isCA = true } == documents)
        #expect(
            try refusals { $0.tcb.template.subject.commonName = "Intel SGX PCK Certificate" }
                == documents)
        // Everything hangs on the root.
        let all: [TDXCheck] = [.chain, .tcbInfo, .qeIdentity, .revocationLists]
        #expect(try refusals { $0.root.template.isCA = false } == all)
        #expect(try refusals { $0.root.issuer = .stranger } == all)
    }

    @Test("a CA needs its key usage and path length, and nothing critical may be unknown")
    func issuers() throws {
        let both: [TDXCheck] = [.chain, .revocationLists]
        let all: [TDXCheck] = [.chain, .tcbInfo, .qeIdentity, .revocationLists]
        let signs: [UInt8] = [3, 2, 1, 6]
        for path in [\TestPCS.ca, \.root] as [WritableKeyPath<TestPCS, TestPCS.Certificate>] {
            let refused = path == \.ca ? both : all
            func refusals(
                _ usage: [UInt8]?, pathLength: UInt8?, _ more: CertificateTemplate.Extension? = nil
            ) throws -> [TDXCheck] {
                try self.refusals {
                    $0[keyPath: path].template.setIssuer(usage, pathLength: pathLength)
                    if let more { $0[keyPath: path].template.extensions.append(more) }
                }
            }
            #expect(try refusals(nil, pathLength: 1) == refused)
            #expect(try refusals([3, 2, 1, 2], pathLength: 1) == refused, "cRLSign alone")
            #expect(try refusals([3, 2, 7, 0x80], pathLength: 1) == refused, "digitalSignature")
            // The names that a CA may sign are looked at by nobody here.
            let names = CertificateTemplate.Extension(
                oid: "2.5.29.30", value: [0x30, 7, 0xa0, 5, 0x30, 3, 0x82, 1, 0x78],
                isCritical: true)
            #expect(try refusals(signs, pathLength: 1, names) == refused)
            let unknown = CertificateTemplate.Extension(
                oid: "1.2.3.4", value: [5, 0], isCritical: true)
            #expect(try refusals(signs, pathLength: 1, unknown) == refused)
            var pcs = try TestPCS()
            pcs[keyPath: path].template.setIssuer(signs, pathLength: path == \.ca ? 0 : 1)
            #expect(try pcs.verify().claims != nil)
        }
        #expect(
            try refusals { $0.root.template.setIssuer(signs, pathLength: 0) } == all)
        // What may not sign lists is no fault of the chain.
        #expect(
            try refusals { $0.ca.template.setIssuer([3, 2, 2, 4], pathLength: 0) }
                == [.revocationLists])
    }

    @Test("a revocation list that is signed with another hash is refused")
    func listSignature() throws {
        #expect(
            try refusals { $0.pckCRL.signature = .ecdsaSHA384 } == [.revocationLists])
        #expect(
            try refusals { $0.rootCRL.signature = .ecdsaSHA384 } == [.revocationLists])
    }

    @Test("a remembered attestation key is that key only, both coordinates of it")
    func attestationKeys() throws {
        let pcs = try TestPCS()
        let verifier = TDXVerifier(anchors: pcs.anchors)
        let collateral = try pcs.collateral
        let good = try pcs.quoteBytes
        func verify(_ bytes: [UInt8]) -> TDXResult {
            verifier.verify(
                quoteBytes: bytes, collateral: collateral, expected: pcs.expected,
                at: TestPCS.now)
        }
        #expect(verify(good).claims != nil)
        let key = try TDXQuote(parsing: good).attestationKey.bytes
        let start = try #require(
            good.indices.first { good[$0...].starts(with: key) })
        var other = good
        other[start + 63] ^= 1
        #expect(verify(other).refused == [.signature, .attestationKey])
        other = good
        other[start] ^= 1
        #expect(verify(other).refused == [.signature, .attestationKey])
        var forged = pcs
        forged.quoteSigner = .stranger
        #expect(try forged.verify(by: verifier).refused == [.signature])
        #expect(verify(good).claims != nil)
    }

    @Test("a chain of 50 certificates and texts of 100 MB are refused by name, and soon")
    func bounds() throws {
        let pcs = try TestPCS()
        let fifty = try TestPCS.pem((0..<50).flatMap { _ in [try pcs.root.der] })
        let huge = [UInt8](repeating: 0x2d, count: 100 << 20)
        let quote = try pcs.quoteBytes
        let verifier = TDXVerifier(anchors: pcs.anchors)
        typealias Part = (TDXCheck, (inout TDXCollateral, [UInt8]) -> Void)
        let parts: [Part] = [
            (.tcbInfo, { $0.tcbInfoIssuerChain = $1 }),
            (.qeIdentity, { $0.qeIdentityIssuerChain = $1 }),
            (.revocationLists, { $0.pckCRLIssuerChain = $1 }),
            (.revocationLists, { $0.pckCRL = $1 }), (.revocationLists, { $0.rootCACRL = $1 }),
            (.tcbInfo, { $0.tcbInfo = SignedJSON(text: $1, signature: $0.tcbInfo.signature) }),
            (.qeIdentity, { $0.qeIdentity = SignedJSON(text: $1, signature: [1]) }),
        ]
        for (index, (check, change)) in parts.enumerated() {
            for text in [fifty, huge] {
                var collateral = try pcs.collateral
                change(&collateral, text)
                let begun = ContinuousClock.now
                let result = verifier.verify(
                    quoteBytes: quote, collateral: collateral, expected: pcs.expected,
                    at: TestPCS.now)
                #expect(result.refused == [check], "part \(index), \(text.count) bytes")
                #expect(ContinuousClock.now - begun < .seconds(300))
            }
        }
        let result = verifier.verify(
            quoteBytes: huge, collateral: nil, expected: pcs.expected, at: TestPCS.now)
        #expect(result.refused == [.quote] || result.refused == [.teeType, .quote])
        #expect(throws: ParseError.self) { try TDXCollateral(json: huge) }
        #expect(throws: ParseError.self) { try SignedJSON(answer: huge, member: "tcbInfo") }
    }

    @Test("only a pinned root counts, whatever its name, and only one pinned for TDX")
    func roots() throws {
        let all: [TDXCheck] = [.root, .tcbInfo, .qeIdentity, .revocationLists]
        #expect(try refusals { $0.anchors = [] } == all)
        #expect(try refusals { $0.anchors = TrustAnchor.intel } == all)
        #expect(try refusals { $0.anchors = [TestPCS.anchor(.ca)] } == all)
        #expect(
            try refusals { $0.anchors = [TestPCS.anchor(.root, family: .snp(.milan))] } == all)
        var pcs = try TestPCS()
        pcs.anchors += TrustAnchor.intel
        #expect(try pcs.verify().claims != nil)
    }

    @Test("collateral under another pinned root does not vouch for this one's platforms")
    func twoRoots() throws {
        var pcs = try TestPCS()
        pcs.anchors.append(TestPCS.anchor(.stranger))
        var other = pcs
        other.root = TestPCS.Certificate(
            TestPCS.rootName, by: TestPCS.rootName, serial: 1, key: .stranger, issuer: .stranger)
        other.ca.issuer = .stranger
        other.tcb.issuer = .stranger
        other.rootCRLSigner = .stranger
        #expect(try other.verify().claims != nil)
        let result = TDXVerifier(anchors: pcs.anchors).verify(
            quoteBytes: try pcs.quoteBytes, collateral: try other.collateral,
            expected: pcs.expected, at: TestPCS.now)
        #expect(result.refused == [.tcbInfo, .qeIdentity, .revocationLists])
        #expect(result.notChecked == ofRoot)
        #expect(result.claims == nil)
    }

    @Test("a chain is three certificates in PEM or DER, the leaf or the root first")
    func forms() throws {
        let pcs = try TestPCS()
        let chain = [try pcs.leaf, try pcs.ca.der, try pcs.root.der]
        let pem = try TestPCS.pem(chain)
        #expect(try refusals(chain: pem, pcs) == [])
        #expect(try refusals(chain: pem + [0], pcs) == [])
        #expect(try refusals(chain: try TestPCS.pem(chain.reversed()), pcs) == [])
        #expect(try refusals(chain: chain.flatMap { $0 }, pcs) == [])
        #expect(try refusals(chain: chain.reversed().flatMap { $0 }, pcs) == [])
        let wrong: [[UInt8]] = [
            [], [0x30], [0x30, 0x82], pem + pem, Array(pem.dropLast(30)), [0x30, 0x80] + pem,
            try TestPCS.pem([chain[0]]), try TestPCS.pem([chain[0], chain[1]]),
            try TestPCS.pem([chain[0], chain[2]]), try TestPCS.pem([chain[1], chain[0], chain[2]]),
            try TestPCS.pem([chain[0], chain[0], chain[2]]),
            try TestPCS.pem([chain[0], chain[1], chain[1]]),
            try TestPCS.pem(chain + [chain[2]]), chain.flatMap { $0 } + [0],
            Array(chain.flatMap { $0 }.dropLast()), Array("text\n".utf8) + pem,
            try TestPCS.pem((0..<50).flatMap { _ in chain[2...] }),
        ]
        for (index, text) in wrong.enumerated() {
            let refused = try refusals(chain: text, pcs)
            #expect(refused.contains(.chain), "text \(index): \(refused)")
        }
    }

    @Test("a certificate with any bit changed, cut or lengthened is refused")
    func certificateBytes() throws {
        let pcs = try TestPCS()
        let chain = [try pcs.leaf, try pcs.ca.der, try pcs.root.der]
        for place in 0..<3 {
            for index in stride(from: 0, to: chain[place].count, by: 13) {
                var changed = chain
                changed[place][index] ^= 0x04
                let refused = try refusals(chain: changed.flatMap { $0 }, pcs)
                #expect(!refused.isEmpty, "certificate \(place), byte \(index)")
            }
            var cut = chain
            cut[place].removeLast()
            #expect(try refusals(chain: cut.flatMap { $0 }, pcs).contains(.chain))
        }
    }

    @Test("what was found good is remembered, what was not is judged again")
    func caches() throws {
        let pcs = try TestPCS()
        let verifier = TDXVerifier(anchors: pcs.anchors)
        let first = try pcs.verify(by: verifier)
        var again = pcs
        again.quote.set(.rtmr3, [9])
        #expect(try again.verify(by: verifier).claims != nil)
        #expect(try pcs.verify(by: verifier).findings == first.findings)
        // Remembered is what does not depend on the clock.
        #expect(
            try pcs.verify(by: verifier, at: TestPCS.now + 2000).refused
                == [.certificateDates, .collateralDates])
        var bad = pcs
        bad.pck.issuer = .stranger
        #expect(try bad.verify(by: verifier).refused == [.chain])
        #expect(try bad.verify(by: verifier).refused == [.chain])
        // The same signatures around another text are another collateral.
        var collateral = try pcs.collateral
        let quote = try pcs.quoteBytes
        func verify(_ collateral: TDXCollateral) -> TDXResult {
            verifier.verify(
                quoteBytes: quote, collateral: collateral, expected: pcs.expected, at: TestPCS.now)
        }
        #expect(verify(collateral).claims != nil)
        collateral.tcbInfo = SignedJSON(
            text: pcs.tcbInfo.text + [0x0a], signature: collateral.tcbInfo.signature)
        #expect(verify(collateral).refused == [.tcbInfo])
    }
}

extension CertificateTemplate {
    /// Basic constraints of a CA with a path length, and a key usage of its own or none.
    mutating func setIssuer(_ usage: [UInt8]?, pathLength: UInt8?) {
        isCA = false
        let length: [UInt8] = pathLength.map { [2, 1, $0] } ?? []
        extensions.append(
            .init(
                oid: "2.5.29.19", value: [0x30, UInt8(3 + length.count), 1, 1, 0xff] + length,
                isCritical: true))
        if let usage { extensions.append(.init(oid: "2.5.29.15", value: usage, isCritical: true)) }
    }
}
