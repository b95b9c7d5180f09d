import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@testable import SimulatedPSP

@Suite("Chains that are wrong in one way")
struct ChainTests {
    private let day: Int64 = 86400
    private let now = TestKeys.now

    private func refusals(_ evidence: GenuineEvidence) throws -> [String] {
        let result = try evidence.verify(try evidence.report())
        #expect(result.claims == nil)
        return result.refused
    }

    @Test("each certificate is refused before and after its time")
    func dates() throws {
        var leaf = try GenuineEvidence()
        try leaf.replaceLeaf { $0.notAfter = now - 1 }
        #expect(try refusals(leaf) == ["certificate dates"])
        try leaf.replaceLeaf { $0.notBefore = now + 1 }
        #expect(try refusals(leaf) == ["certificate dates"])
        var intermediate = try GenuineEvidence()
        try intermediate.replaceIntermediate { $0.notAfter = now - 1 }
        #expect(try refusals(intermediate) == ["certificate dates"])
        try intermediate.replaceIntermediate { $0.notBefore = now + 1 }
        #expect(try refusals(intermediate) == ["certificate dates"])
        var root = try GenuineEvidence()
        try root.replaceRoot { $0.notAfter = now - 1 }
        #expect(try refusals(root) == ["certificate dates"])
        try root.replaceRoot { $0.notBefore = now + 1 }
        #expect(try refusals(root) == ["certificate dates"])
    }

    @Test("the first and the last second of validity count")
    func edges() throws {
        var evidence = try GenuineEvidence()
        try evidence.replaceLeaf {
            $0.notBefore = now
            $0.notAfter = now
        }
        #expect(try evidence.verify(try evidence.report()).refused == [])
    }

    @Test("a chain that was found good is still judged by the clock, and by each report")
    func remembered() throws {
        let evidence = try GenuineEvidence()
        let verifier = SNPVerifier(anchors: evidence.anchors)
        let report = try evidence.report()
        for _ in 0..<3 {
            #expect(evidence.verify(report, by: verifier).claims != nil)
        }
        let late = evidence.verify(report, by: verifier, at: now + 8 * 365 * day)
        #expect(late.refused == ["certificate dates"])
        let other = try GenuineEvidence()
        let foreign = evidence.verify(try other.report(), by: verifier)
        #expect(foreign.refused == ["signature", "endorsed chip"])
        #expect(evidence.verify(report, by: verifier).claims != nil)
    }

    @Test("a root that nobody pinned is refused, however sound the chain is")
    func foreignRoot() throws {
        let evidence = try GenuineEvidence()
        var stranger = evidence
        stranger.anchors = TrustAnchor.amd
        #expect(try refusals(stranger) == ["root"])
        stranger.anchors = []
        #expect(try refusals(stranger) == ["root"])
    }

    @Test("a root of the same name with another key is another root")
    func forgedRoot() throws {
        let evidence = try GenuineEvidence()
        var forged = evidence
        let key = try TestKeys.stranger()
        forged.certificates.root = try CertificateIssuer.issue(
            Authority.rootTemplate(.milan, now: now), subjectKey: key, issuerKey: key)
        #expect(try refusals(forged) == ["chain", "root"])
        forged.certificates.intermediate = try CertificateIssuer.issue(
            Authority.intermediateTemplate(.milan, .vcek, now: now),
            subjectKey: try TestKeys.intermediate(), issuerKey: key)
        #expect(try refusals(forged) == ["root"])
    }

    @Test("a root that does not sign itself is refused")
    func unsignedRoot() throws {
        var evidence = try GenuineEvidence()
        evidence.certificates.root = try CertificateIssuer.issue(
            Authority.rootTemplate(.milan, now: now), subjectKey: try TestKeys.root(),
            issuerKey: try TestKeys.stranger())
        #expect(try refusals(evidence) == ["chain"])
    }

    @Test("a leaf or intermediate signed by a stranger's key is refused")
    func strangersSignature() throws {
        var evidence = try GenuineEvidence()
        try evidence.replaceLeaf(issuer: try TestKeys.stranger()) { _ in }
        #expect(try refusals(evidence) == ["chain"])
        evidence = try GenuineEvidence()
        evidence.certificates.intermediate = try CertificateIssuer.issue(
            Authority.intermediateTemplate(.milan, .vcek, now: now),
            subjectKey: try TestKeys.intermediate(), issuerKey: try TestKeys.stranger())
        #expect(try refusals(evidence) == ["chain"])
    }

    @Test("an issuer needs its key usage and path length, and nothing critical may be unknown")
    func issuers() throws {
        let signs: [UInt8] = [3, 2, 1, 6]
        let unknown = CertificateTemplate.Extension(
            oid: "1.2.3.4", value: [5, 0], isCritical: true)
        let names = CertificateTemplate.Extension(
            oid: "2.5.29.30", value: [0x30, 7, 0xa0, 5, 0x30, 3, 0x82, 1, 0x78], isCritical: true)
        let wrong: [(inout CertificateTemplate) -> Void] = [
            { $0.setIssuer(nil, pathLength: 1) }, { $0.setIssuer([3, 2, 1, 2], pathLength: 1) },
            { $0.setIssuer([3, 2, 7, 0x80], pathLength: 1) },
            { $0.extensions.append(unknown) }, { $0.extensions.append(names) },
        ]
        for (index, change) in wrong.enumerated() {
            var evidence = try GenuineEvidence()
            try evidence.replaceIntermediate(change)
            #expect(try refusals(evidence) == ["chain"], "intermediate, change \(index)")
            evidence = try GenuineEvidence()
            try evidence.replaceRoot(change)
            #expect(try refusals(evidence) == ["chain"], "root, change \(index)")
        }
        var evidence = try GenuineEvidence()
        try evidence.replaceLeaf { $0.extensions.append(unknown) }
        #expect(try refusals(evidence) == ["chain"])
        evidence = try GenuineEvidence()
        try evidence.replaceRoot { $0.setIssuer(signs, pathLength: 0) }
        #expect(try refusals(evidence) == ["chain"])
        try evidence.replaceRoot { $0.setIssuer(signs, pathLength: 1) }
        try evidence.replaceIntermediate { $0.setIssuer(signs, pathLength: 0) }
        #expect(try evidence.verify(try evidence.report()).claims != nil)
    }

    @Test("certificates in each other's places are refused")
    func swapped() throws {
        let evidence = try GenuineEvidence()
        var swapped = evidence
        swapped.certificates.intermediate = evidence.certificates.root
        swapped.certificates.root = evidence.certificates.intermediate
        #expect(try refusals(swapped).contains("chain"))
        swapped = evidence
        swapped.certificates.intermediate = evidence.certificates.root
        #expect(try refusals(swapped).contains("chain"))
        swapped = evidence
        swapped.certificates.endorsementKey = evidence.certificates.intermediate
        #expect(try refusals(swapped).contains("chain"))
    }

    @Test("each missing certificate is named, and what could not be checked is not shown as passed")
    func missing() throws {
        let evidence = try GenuineEvidence()
        for (keyPath, name) in [
            (\SNPCertificates.endorsementKey, "VCEK or VLEK: missing"),
            (\.intermediate, "ASK or ASVK: missing"), (\.root, "ARK: missing"),
        ] as [(WritableKeyPath<SNPCertificates, [UInt8]?>, String)] {
            var lacking = evidence
            lacking.certificates[keyPath: keyPath] = nil
            let result = try lacking.verify(try lacking.report())
            #expect(result.claims == nil)
            #expect(result.findings.first { $0.check == "chain" }?.actual.contains(name) == true)
            #expect(result.findings.first { $0.check == "chain" }?.outcome == .refused)
            let signature = result.findings.first { $0.check == "signature" }?.outcome
            #expect(signature == (keyPath == \.endorsementKey ? .notChecked : .ok))
        }
    }

    @Test("a certificate that was cut, lengthened or changed is refused")
    func damaged() throws {
        let evidence = try GenuineEvidence()
        let verifier = SNPVerifier(anchors: evidence.anchors)
        let report = try evidence.report()
        for keyPath in [\SNPCertificates.endorsementKey, \.intermediate, \.root]
            as [WritableKeyPath<SNPCertificates, [UInt8]?>]
        {
            let whole = try #require(evidence.certificates[keyPath: keyPath])
            var versions = [Array(whole.dropLast()), whole + [0], []]
            for index in stride(from: 0, to: whole.count, by: 7) {
                var changed = whole
                changed[index] ^= 0x10
                versions.append(changed)
            }
            for version in versions {
                var damaged = evidence
                damaged.certificates[keyPath: keyPath] = version
                let result = damaged.verify(report, by: verifier)
                #expect(result.claims == nil)
                #expect(result.refused.contains("chain"))
            }
        }
    }
}
