import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("TDX evidence under our own root, wrong in one way")
struct TDXMutationTests {
    /// The checks that refuse after `change`, which have to keep claims from being made.
    private func refusals(
        version: UInt16 = 4, bodyType: UInt16 = 2, at time: Int64 = TestPCS.now,
        _ change: (inout TestPCS) throws -> Void
    ) throws -> [TDXCheck] {
        var pcs = try TestPCS(version: version, bodyType: bodyType)
        try change(&pcs)
        let result = try pcs.verify(at: time)
        #expect(result.findings.map(\.check) == TDXCheck.allCases.map(\.rawValue))
        #expect(result.claims == nil)
        return result.refused
    }

    @Test(
        "genuine evidence of each form gives claims",
        arguments: [(4, 2), (5, 2), (5, 3)] as [(UInt16, UInt16)])
    func genuine(version: UInt16, bodyType: UInt16) throws {
        let pcs = try TestPCS(version: version, bodyType: bodyType)
        let result = try pcs.verify()
        #expect(result.refused.isEmpty && result.notChecked.isEmpty, "\(result.findings)")
        let claims = try #require(result.claims)
        #expect(claims.tcbStatus == .upToDate && claims.advisories.isEmpty)
        #expect(claims.fmspc.hex == "90c06f000000")
        #expect(claims.body == result.quote?.body)
        #expect(claims.collateral?.issued == ISO8601.time("2026-11-01T00:00:00Z"))
        #expect(claims.collateral?.nextUpdate == TestPCS.now + 100)
        #expect(result.rating?.evaluationNumber == 18)
    }

    @Test("without collateral its checks are not made, and claims have no status")
    func noCollateral() throws {
        let pcs = try TestPCS()
        let verifier = TDXVerifier(anchors: pcs.anchors)
        let result = verifier.verify(
            quoteBytes: try pcs.quoteBytes, collateral: nil, expected: pcs.expected,
            at: TestPCS.now)
        #expect(result.refused.isEmpty && result.notChecked == TDXCheck.ofCollateral)
        #expect(result.claims != nil && result.claims?.tcbStatus == nil && result.rating == nil)
        #expect(result.claims?.collateral == nil)
    }

    @Test("without an expected binding there are no claims, unless the caller can do without")
    func optionalBinding() throws {
        let pcs = try TestPCS()
        let verifier = TDXVerifier(anchors: pcs.anchors)
        for isOptional in [false, true] {
            let result = verifier.verify(
                quoteBytes: try pcs.quoteBytes, collateral: try pcs.collateral, expected: nil,
                bindingIsOptional: isOptional, at: TestPCS.now)
            #expect(result.refused.isEmpty && result.notChecked == [.binding])
            #expect((result.claims != nil) == isOptional)
        }
        #expect(try refusals { $0.expected[63] ^= 1 } == [.binding])
    }

    @Test("each signed byte of the quote is under the signature")
    func signedBytes() throws {
        let pcs = try TestPCS(version: 5, bodyType: 3)
        let good = try pcs.quoteBytes
        let verifier = TDXVerifier(anchors: pcs.anchors)
        for index in stride(from: 28, to: 702, by: 5) where !(48..<54).contains(index) {
            var bytes = good
            bytes[index] ^= 0x10
            let result = verifier.verify(
                quoteBytes: bytes, collateral: nil, expected: nil, bindingIsOptional: true,
                at: TestPCS.now)
            #expect(result.claims == nil, "byte \(index)")
            // Reserved attribute bits and the signer are refused by their own checks as well.
            #expect(result.refused.contains(.signature) || result.refused == [.quote])
        }
        for index in [706, 737, 738, 769] {
            var bytes = good
            bytes[index] ^= 1
            let result = verifier.verify(
                quoteBytes: bytes, collateral: nil, expected: pcs.expected, at: TestPCS.now)
            #expect(result.refused == [.signature])
        }
    }

    @Test("a quote by another key, or over another attestation key, is refused")
    func attestationKeys() throws {
        #expect(try refusals { $0.quoteSigner = .stranger } == [.signature])
        #expect(try refusals { $0.attestationKey = .stranger } == [.signature])
        #expect(try refusals { $0.qeReportSigner = .stranger } == [.qeReport])
        #expect(try refusals { $0.changeQEReport = { $0[0x140] ^= 1 } } == [.attestationKey])
        #expect(try refusals { $0.changeQEReport = { $0[0x17f] = 1 } } == [.attestationKey])
        let pcs = try TestPCS()
        var quote = pcs.quote
        quote.chain = try TestPCS.pem([try pcs.leaf, try pcs.ca.der, try pcs.root.der])
        let signed = try pcs.signed(quote)
        // The point's last byte: it is not on the curve any more, and not the one that was bound.
        var bytes = signed
        bytes[632 + 4 + 64 + 63] ^= 1
        let verifier = TDXVerifier(anchors: pcs.anchors)
        let result = verifier.verify(
            quoteBytes: bytes, collateral: nil, expected: pcs.expected, at: TestPCS.now)
        #expect(result.refused == [.signature, .attestationKey])
        for (offset, check) in [
            (636 + 128 + 6 + 0x45, TDXCheck.qeReport), (636 + 134 + 450, .attestationKey),
        ] {
            var bytes = signed
            bytes[offset] ^= 1
            #expect(
                verifier.verify(
                    quoteBytes: bytes, collateral: nil, expected: pcs.expected, at: TestPCS.now
                ).refused == [check])
        }
    }

    @Test("a module that Intel did not sign for production is refused")
    func moduleSigner() throws {
        #expect(
            try refusals { $0.quote.set(.mrSignerSEAM, [1]) } == [.moduleSigner, .moduleIdentity])
        #expect(
            try refusals { $0.quote.set(.seamAttributes, [0, 0, 0, 0, 0, 0, 0, 1]) }
                == [.moduleSigner, .moduleIdentity])
        #expect(
            try refusals { $0.quote.set(.teeTCBSVN, [5, 2, 7]) } == [.moduleIdentity, .tcbLevel])
        #expect(try refusals { $0.tcbInfo.identities = nil } == [.moduleIdentity, .tcbLevel])
        #expect(
            try refusals { $0.tcbInfo.identities?[0].mrSigner = String(repeating: "01", count: 48) }
                == [.moduleIdentity])
        #expect(
            try refusals { $0.tcbInfo.identities?[0].attributes = "0100000000000000" }
                == [.moduleIdentity])
        #expect(
            try refusals {
                $0.quote.set(.teeTCBSVN, [5, 0, 7])
                $0.tcbInfo.module.attributes = "0100000000000000"
            } == [.moduleIdentity])
    }

    @Test("the quoting enclave has to be Intel's, by each field of the identity")
    func quotingEnclave() throws {
        let changes: [(inout TestPCS) -> Void] = [
            { $0.qeIdentity.mrSigner = String(repeating: "DD", count: 32) },
            { $0.qeIdentity.productID = 1 }, { $0.qeIdentity.miscSelect = "01000000" },
            { $0.qeIdentity.attributes = "15000000000000000000000000000000" },
            { $0.qeIdentity.attributes = "31000000000000000000000000000000" },
            { $0.changeQEReport = { $0[0x80] ^= 1 } }, { $0.changeQEReport = { $0[0x100] = 1 } },
            { $0.changeQEReport = { $0[0x10] = 1 } }, { $0.changeQEReport = { $0[0x30] ^= 2 } },
        ]
        for (index, change) in changes.enumerated() {
            // A bit that the mask leaves out cannot match, whatever it is.
            let expected: [TDXCheck] = index == 3 ? [] : [.quotingEnclave]
            if index == 3 {
                var pcs = try TestPCS()
                change(&pcs)
                #expect(try pcs.verify().refused == expected)
            } else {
                #expect(try refusals(change) == expected, "change \(index)")
            }
        }
        #expect(try refusals { $0.changeQEReport = { $0[0x102] = 3 } } == [.tcbLevel])
    }

    @Test("documents by another key, changed, or unreadable are refused and decide nothing")
    func documents() throws {
        let rest: Set<TDXCheck> = [
            .endorsedPlatform, .quotingEnclave, .moduleIdentity, .tcbLevel,
        ]
        var pcs = try TestPCS()
        pcs.documentSigner = .stranger
        let result = try pcs.verify()
        #expect(result.refused == [.tcbInfo, .qeIdentity] && result.notChecked == rest)
        #expect(result.rating == nil && result.claims == nil)
        pcs = try TestPCS()
        let verifier = TDXVerifier(anchors: pcs.anchors)
        let quote = try pcs.quoteBytes
        func refused(_ change: (inout TDXCollateral) throws -> Void) throws -> [TDXCheck] {
            var collateral = try pcs.collateral
            try change(&collateral)
            let result = verifier.verify(
                quoteBytes: quote, collateral: collateral, expected: pcs.expected, at: TestPCS.now)
            #expect(result.claims == nil)
            return result.refused
        }
        let other = pcs
        #expect(
            try refused {
                $0.tcbInfo = SignedJSON(
                    text: $0.tcbInfo.text + [0x20], signature: $0.tcbInfo.signature)
            } == [.tcbInfo])
        #expect(
            try refused {
                $0.qeIdentity = SignedJSON(
                    text: $0.qeIdentity.text, signature: $0.tcbInfo.signature)
            } == [.qeIdentity])
        #expect(
            try refused {
                $0.qeIdentity = SignedJSON(
                    text: $0.qeIdentity.text, signature: $0.qeIdentity.signature + [0])
            } == [.qeIdentity])
        #expect(try refused { $0.tcbInfo = try other.document(Array("{}".utf8)) } == [.tcbInfo])
        #expect(try refused { $0.tcbInfo = $0.qeIdentity } == [.tcbInfo])
        #expect(try refused { $0.tcbInfoIssuerChain = [] } == [.tcbInfo])
        #expect(
            try refused { $0.tcbInfoIssuerChain = $0.pckCRLIssuerChain } == [.tcbInfo])
        #expect(
            try refused { $0.qeIdentityIssuerChain = Array(repeating: 10, count: 65 << 10) }
                == [.qeIdentity])
        #expect(
            try refused { $0.pckCRLIssuerChain = $0.tcbInfoIssuerChain } == [.revocationLists])
        #expect(try refused { $0.pckCRL = $0.rootCACRL } == [.revocationLists])
        #expect(try refused { $0.rootCACRL.append(0) } == [.revocationLists])
        #expect(try refused { $0.pckCRL = Array($0.pckCRL.dropLast()) } == [.revocationLists])
        #expect(try refused { _ = $0.rootCACRL.popLast() } == [.revocationLists])
        #expect(try refusals { $0.pckCRLSigner = .stranger } == [.revocationLists])
        #expect(try refusals { $0.rootCRLSigner = .ca } == [.revocationLists])
        #expect(try refusals { $0.tcbInfo.fmspc = "90C06F000001" } == [.endorsedPlatform])
        #expect(try refusals { $0.tcbInfo.pceID = "0001" } == [.endorsedPlatform])
        #expect(try refusals { $0.platform?.fmspc[5] = 1 } == [.endorsedPlatform])
    }

    @Test("collateral is refused before its time and after")
    func collateralDates() throws {
        let changes: [(inout TestPCS) -> Void] = [
            { $0.tcbInfo.issueDate = "2026-11-21T00:00:01Z" },
            { $0.tcbInfo.nextUpdate = "2026-11-20T23:59:59Z" },
            { $0.qeIdentity.issueDate = "2026-11-21T00:00:01Z" },
            { $0.qeIdentity.nextUpdate = "2026-11-20T23:59:59Z" },
            { $0.pckCRL.thisUpdate = TestPCS.now + 1 }, { $0.pckCRL.nextUpdate = TestPCS.now - 1 },
            { $0.rootCRL.thisUpdate = TestPCS.now + 1 },
            { $0.rootCRL.nextUpdate = TestPCS.now - 1 },
        ]
        for (index, change) in changes.enumerated() {
            var pcs = try TestPCS()
            change(&pcs)
            let result = try pcs.verify()
            #expect(result.refused == [.collateralDates] && result.claims == nil, "change \(index)")
            let finding = result.findings.first { $0.check == TDXCheck.collateralDates.rawValue }
            let word = index.isMultiple(of: 2) ? "not yet valid" : "expired"
            #expect(finding?.actual.contains(word) == true)
        }
        #expect(try TestPCS().verify(at: TestPCS.now + 100).claims != nil)
        #expect(try TestPCS().verify(at: TestPCS.now - 100).claims != nil)
        #expect(try refusals(at: TestPCS.now + 101) { _ in } == [.collateralDates])
        #expect(try refusals(at: TestPCS.now - 101) { _ in } == [.collateralDates])
    }

    @Test("each certificate that is taken back is named")
    func revocation() throws {
        let entry = { (serial: UInt8) in
            CRLTemplate.Entry(serial: [0x11, serial], date: TestPCS.now - 50)
        }
        #expect(try refusals { $0.pckCRL.entries = [entry(3)] } == [.revocation])
        #expect(try refusals { $0.rootCRL.entries = [entry(2)] } == [.revocation])
        #expect(try refusals { $0.rootCRL.entries = [entry(4)] } == [.revocation])
        #expect(try refusals { $0.rootCRL.entries = [entry(1)] } == [.revocation])
        var pcs = try TestPCS()
        pcs.pckCRL.entries = [entry(2), entry(4), entry(9)]
        pcs.rootCRL.entries = [entry(3)]
        #expect(try pcs.verify().claims != nil)
        // The list of the other CA says nothing of this one's certificates.
        let otherName = "Intel SGX PCK Processor CA"
        pcs = try TestPCS()
        var other = pcs
        other.ca.template.subject.commonName = otherName
        other.pckCRL.issuer.commonName = otherName
        let result = TDXVerifier(anchors: pcs.anchors).verify(
            quoteBytes: try pcs.quoteBytes, collateral: try other.collateral,
            expected: pcs.expected, at: TestPCS.now)
        #expect(result.refused == [.revocation] && result.claims == nil)
        other.pck.template.issuer.commonName = otherName
        #expect(try other.verify().claims != nil)
    }
}
