import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@testable import SimulatedPSP

@Suite("Certificates with wrong marks, soundly signed")
struct CertificateMarkTests {
    private let arc = "1.3.6.1.4.1.3704.1."

    private func refusals(_ evidence: GenuineEvidence) throws -> [String] {
        let result = try evidence.verify(try evidence.report())
        #expect(result.claims == nil)
        return result.refused
    }

    private func leaf(
        _ product: SNPProduct = .milan, _ kind: SNPSigningKey = .vcek,
        _ change: (inout CertificateTemplate) -> Void
    ) throws -> [String] {
        var evidence = try GenuineEvidence(product, kind)
        try evidence.replaceLeaf(change)
        return try refusals(evidence)
    }

    /// Replaces the value of one of AMD's extensions, or removes it.
    private func set(
        _ template: inout CertificateTemplate, _ number: String, _ value: [UInt8]?
    ) {
        template.extensions.removeAll { $0.oid == arc + number }
        if let value {
            template.extensions.append(.init(oid: arc + number, value: value))
        }
    }

    @Test("names that are not AMD's for their place are refused")
    func names() throws {
        #expect(try leaf { $0.subject.commonName = "SEV-OTHER" } == ["chain", "endorsement key"])
        // The issuer's name is part of the signature check.
        #expect(try leaf { $0.issuer.commonName = "SEV-Genoa" } == ["chain"])
        var evidence = try GenuineEvidence()
        try evidence.replaceIntermediate { $0.subject.commonName = "SEV-VLEK-Milan" }
        try evidence.replaceLeaf { $0.issuer.commonName = "SEV-VLEK-Milan" }
        #expect(try refusals(evidence) == ["chain"])
        evidence = try GenuineEvidence(.milan, .vlek)
        try evidence.replaceIntermediate { $0.subject.commonName = "SEV-Milan" }
        try evidence.replaceLeaf { $0.issuer.commonName = "SEV-Milan" }
        #expect(try refusals(evidence) == ["chain"])
        evidence = try GenuineEvidence()
        try evidence.replaceIntermediate { $0.issuer.commonName = "ROOT" }
        try evidence.replaceRoot {
            $0.subject.commonName = "ROOT"
            $0.issuer.commonName = "ROOT"
        }
        #expect(try refusals(evidence) == ["chain", "product"])
    }

    @Test("an intermediate of another processor line is refused, although the root signed it")
    func otherLine() throws {
        var evidence = try GenuineEvidence()
        try evidence.replaceIntermediate { $0.subject.commonName = "SEV-Genoa" }
        try evidence.replaceLeaf { $0.issuer.commonName = "SEV-Genoa" }
        #expect(try refusals(evidence) == ["product"])
    }

    @Test("a pin is for its processor line only")
    func otherPin() throws {
        var evidence = try GenuineEvidence()
        evidence.anchors = evidence.anchors.map {
            TrustAnchor(name: "ARK-Genoa", product: .genoa, keyDigest: $0.keyDigest)
        }
        #expect(try refusals(evidence) == ["product"])
    }

    @Test("who may sign certificates is held to")
    func basicConstraints() throws {
        #expect(try leaf { $0.isCA = true } == ["chain"])
        var evidence = try GenuineEvidence()
        try evidence.replaceIntermediate { $0.isCA = false }
        #expect(try refusals(evidence) == ["chain"])
        evidence = try GenuineEvidence()
        try evidence.replaceRoot { $0.isCA = false }
        #expect(try refusals(evidence) == ["chain"])
    }

    @Test("product names of other lines, or none, are refused")
    func productNames() throws {
        let genoa = Array("Genoa-B1".utf8)
        #expect(
            try leaf { set(&$0, "2", [0x16, UInt8(genoa.count)] + genoa) } == ["product"])
        for value in [nil, [], [0x16, 5], [0x0c, 5] + Array("Milan".utf8)] as [[UInt8]?] {
            #expect(try leaf { set(&$0, "2", value) }.contains("product"))
        }
    }

    @Test("a chip's certificate needs its hwID, a provider's its cspID, and not the other's")
    func kinds() throws {
        #expect(try leaf { set(&$0, "4", nil) } == ["endorsement key", "endorsed chip"])
        #expect(try leaf { set(&$0, "5", [0x16, 1, 0x41]) } == ["endorsement key"])
        #expect(
            try leaf(.milan, .vlek) {
                set(&$0, "4", Array(repeating: 1, count: 64))
            } == ["endorsement key"])
        #expect(try leaf(.milan, .vlek) { set(&$0, "5", nil) } == ["endorsement key"])
    }

    @Test("hwID may be wrapped in an OCTET STRING, and nothing else")
    func hardwareID() throws {
        var evidence = try GenuineEvidence()
        let chip = evidence.platform.chipID.bytes
        try evidence.replaceLeaf { set(&$0, "4", [0x04, 64] + chip) }
        #expect(try evidence.verify(try evidence.report()).refused == [])
        for value in [[0x04, 63] + chip, Array(chip.prefix(8)), chip + [0], []] {
            try evidence.replaceLeaf { set(&$0, "4", value) }
            #expect(try refusals(evidence) == ["endorsed chip"])
        }
    }

    @Test("a version that is missing, not a DER INTEGER of one byte, or another one is refused")
    func versions() throws {
        // Milan's microcode is 219 here, which DER writes with a zero byte before it.
        let wrong: [[UInt8]?] = [
            nil, [], [0x02, 1, 219], [0x02, 2, 1, 219], [0x02, 3, 0, 0, 219], [0x02, 1, 91],
            [0x04, 2, 0, 219], [0x02, 2, 0, 219, 0], [0x02, 2, 0, 218],
        ]
        for value in wrong {
            #expect(try leaf { set(&$0, "3.8", value) } == ["endorsed TCB"])
        }
        for number in ["3.1", "3.2", "3.3"] {
            #expect(try leaf { set(&$0, number, nil) } == ["endorsed TCB"])
        }
        #expect(try leaf(.turin) { set(&$0, "3.9", nil) } == ["endorsed TCB"])
    }

    @Test("a certificate for another chip's key does not vouch for this one's reports")
    func otherChip() throws {
        var evidence = try GenuineEvidence()
        evidence.certificates = try GenuineEvidence().certificates
        #expect(try refusals(evidence) == ["signature", "endorsed chip"])
    }

    @Test("a VLEK does not vouch for a report that claims a VCEK, and the other way round")
    func otherKind() throws {
        var evidence = try GenuineEvidence()
        evidence.certificates = try GenuineEvidence(.milan, .vlek).certificates
        #expect(try refusals(evidence) == ["signature", "endorsement key"])
    }
}
