import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@testable import SimulatedPSP

@Suite("Revocation of SNP's certificates")
struct RevocationTests {
    private let now = TestKeys.now
    private let day: Int64 = 86400

    /// An ASK of serial 2 and a leaf of serial 3, so that each can be taken back alone.
    private func evidence(_ kind: SNPSigningKey = .vcek) throws -> GenuineEvidence {
        var evidence = try GenuineEvidence(.milan, kind)
        try evidence.replaceIntermediate { $0.serial = [2] }
        try evidence.replaceLeaf { $0.serial = [3] }
        return evidence
    }

    private func verify(_ evidence: GenuineEvidence, _ lists: [[UInt8]]) throws
        -> VerificationResult
    {
        var evidence = evidence
        evidence.certificates.revocationLists = lists
        return try evidence.verify(try evidence.report())
    }

    @Test("without a list nothing is said to be not revoked")
    func absent() throws {
        let result = try verify(try evidence(), [])
        #expect(result.claims?.snp?.revocationList == nil)
        #expect(result.claims != nil)
        for check in ["revocation list", "revocation"] {
            let finding = result.findings.first { $0.check == check }
            #expect(finding?.outcome == .notChecked)
            #expect(finding?.note == "no revocation list was given")
        }
    }

    @Test(
        "a good list holds, and its dates are in the claims",
        arguments: [
            SNPSigningKey.vcek, .vlek,
        ])
    func good(kind: SNPSigningKey) throws {
        let evidence = try evidence(kind)
        let list = try evidence.revocationList(revoking: [[9]])
        let result = try verify(evidence, [list])
        #expect(result.refused == [])
        #expect(
            result.claims?.snp?.revocationList
                == EndorsementDates(issued: now - day, nextUpdate: now + day))
        let finding = result.findings.first { $0.check == "revocation" }
        #expect(finding?.outcome == .ok)
        #expect(finding?.note?.contains("no list of SEV-") == true)
        let own = try evidence.revocationList(byIntermediate: true)
        let covered = try verify(evidence, [list, own])
        #expect(covered.findings.first { $0.check == "revocation" }?.note == nil)
        #expect(covered.claims != nil)
    }

    @Test(
        "each certificate that its issuer took back is refused by name",
        arguments: [
            (false, [1], "ARK-Milan"), (false, [2], "SEV-Milan"), (true, [3], "SEV-VCEK"),
        ] as [(Bool, [UInt8], String)])
    func revoked(byIntermediate: Bool, serial: [UInt8], name: String) throws {
        let evidence = try evidence()
        let lists = [
            try evidence.revocationList(revoking: byIntermediate ? [] : [serial]),
            try evidence.revocationList(
                byIntermediate: true, revoking: byIntermediate ? [serial] : []),
        ]
        let result = try verify(evidence, lists)
        #expect(result.claims == nil && result.refused == ["revocation"])
        let actual = result.findings.first { $0.check == "revocation" }?.actual
        #expect(actual?.hasPrefix("\(name) (serial 0\(serial[0])) is revoked") == true)
    }

    @Test("a VLEK and its ASVK are refused as well")
    func revokedVLEK() throws {
        let evidence = try evidence(.vlek)
        #expect(
            try verify(evidence, [try evidence.revocationList(revoking: [[2]])]).refused
                == ["revocation"])
        let lists = [
            try evidence.revocationList(),
            try evidence.revocationList(byIntermediate: true, revoking: [[3]]),
        ]
        #expect(try verify(evidence, lists).refused == ["revocation"])
    }

    @Test("a serial means the certificate of the list's issuer, and no other of that number")
    func otherIssuer() throws {
        let evidence = try evidence()
        // The ARK's list names number 3, which is the VCEK's number by the ASK.
        #expect(try verify(evidence, [try evidence.revocationList(revoking: [[3]])]).refused == [])
    }

    @Test("a list that is not genuine, not yet valid, expired, or of another scheme is refused")
    func badLists() throws {
        let evidence = try evidence()
        let stranger = try TestKeys.stranger()
        let intermediate = try TestKeys.intermediate()
        let ecdsa = try SigningKey.generate(.p256)
        let lists = [
            try evidence.revocationList { $0.nextUpdate = now - 1 },
            try evidence.revocationList { $0.thisUpdate = now + 1 },
            try evidence.revocationList(signedBy: stranger),
            try evidence.revocationList(signedBy: intermediate),
            try evidence.revocationList { $0.issuer.commonName = "ARK-Genoa" },
            try evidence.revocationList { $0.issuer.organization = nil },
            try evidence.revocationList(signedBy: ecdsa) { $0.signature = .ecdsaSHA256 },
            try evidence.revocationList { $0.nextUpdate = nil },
            Array(try evidence.revocationList().dropLast()),
            try evidence.revocationList() + [0],
            Array("-----BEGIN X509 CRL-----".utf8),
            [UInt8](repeating: 0x30, count: 100 << 20),
            // Genuine, but of the ASK alone: nobody knows whether that one is revoked.
            try evidence.revocationList(byIntermediate: true),
        ]
        for (index, list) in lists.enumerated() {
            let result = try verify(evidence, [list])
            #expect(result.claims == nil, "list \(index)")
            #expect(result.refused == ["revocation list"], "list \(index)")
        }
    }

    @Test("each bit of a list counts")
    func flippedBits() throws {
        let evidence = try evidence()
        let list = try evidence.revocationList()
        for index in stride(from: 0, to: list.count, by: 5) {
            var changed = list
            changed[index] ^= 0x10
            #expect(try verify(evidence, [changed]).refused == ["revocation list"], "\(index)")
        }
    }

    @Test("the first and the last second of a list count")
    func edges() throws {
        let evidence = try evidence()
        let list = try evidence.revocationList {
            $0.thisUpdate = now
            $0.nextUpdate = now
        }
        #expect(try verify(evidence, [list]).refused == [])
    }

    @Test("a host's old list neither spoils a newer one nor hides what it takes back")
    func several() throws {
        let evidence = try evidence()
        let newer = try evidence.revocationList()
        let old = try evidence.revocationList {
            $0.thisUpdate = now - 40 * day
            $0.nextUpdate = now - 10 * day
        }
        let stale = try evidence.revocationList { $0.thisUpdate = now - 30 * day }
        for lists in [[newer, old, stale], [stale, newer], [old, stale, newer]] {
            let result = try verify(evidence, lists)
            #expect(result.refused == [])
            #expect(result.claims?.snp?.revocationList?.issued == now - day)
        }
        let broken = try verify(evidence, [newer, [0x30, 0]])
        #expect(broken.claims != nil)
        #expect(
            broken.findings.first { $0.check == "revocation list" }?.note?.hasPrefix("passed over")
                == true)
        // What was taken back once stays so, also where only the old list says it.
        let revoking = try evidence.revocationList(revoking: [[2]]) {
            $0.thisUpdate = now - 40 * day
            $0.nextUpdate = now - 10 * day
        }
        #expect(try verify(evidence, [newer, revoking]).refused == ["revocation"])
        #expect(
            try verify(evidence, [revoking]).refused == ["revocation list", "revocation"])
        #expect(
            try verify(evidence, Array(repeating: newer, count: 5)).refused == ["revocation list"])
    }

    @Test("an old list of the ASK is not passed over, since no newer one is there")
    func staleIntermediate() throws {
        let evidence = try evidence()
        let lists = [
            try evidence.revocationList(),
            try evidence.revocationList(byIntermediate: true) { $0.nextUpdate = now - 1 },
        ]
        #expect(try verify(evidence, lists).refused == ["revocation list"])
    }

    @Test("a list that was found good is still judged by the clock")
    func remembered() throws {
        var evidence = try evidence()
        evidence.certificates.revocationLists = [try evidence.revocationList()]
        let verifier = SNPVerifier(anchors: evidence.anchors)
        let report = try evidence.report()
        #expect(evidence.verify(report, by: verifier).refused == [])
        let late = evidence.verify(report, by: verifier, at: now + day + 1)
        #expect(late.refused == ["revocation list"])
        #expect(evidence.verify(report, by: verifier).refused == [])
    }
}
