import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@Suite("Real TPM quotes", .enabled(if: Vectors.arePresent, "no BOOTGATE_VECTORS at hand"))
struct TPMVectorTests {
    @Test("every case of a quote gets its verdict", arguments: try Vectors.entries(["tpm-quote"]))
    func quotes(entry: VectorEntry) throws {
        let key = try attestationKey(entry)
        for one in entry.expect.cases {
            var trust = KeyTrustEvidence.nothing
            var anchors: [TrustAnchor] = []
            if let name = one.inputs?["trust_anchor"] {
                trust = .vendorCertificate(
                    chain: [
                        try X509Certificate(derOrPEM: entry.file("ak-certificate")),
                        try X509Certificate(derOrPEM: entry.file("ak-issuer-certificate")),
                    ], revocationLists: [])
                let path = try #require(entry.files.first { $0.path.hasSuffix("/\(name)") }).path
                let root = try X509Certificate(derOrPEM: Vectors.bytes(path))
                anchors = [
                    TrustAnchor(
                        name: name, family: .attestationKey,
                        keyDigest: root.subjectPublicKeyInfoDigest)
                ]
            }
            let nonce = one.inputs?["nonce"].flatMap { Hex.decode($0) }
            let result = TPMQuoteVerifier(anchors: anchors).verify(
                TPMQuoteVerifier.Quote(
                    attestation: try entry.file("tpms-attest"),
                    signature: .structure(try entry.file("tpmt-signature")),
                    values: try values(entry)),
                key: key, trust: trust,
                expected: TPMQuoteVerifier.Expectation(nonce: nonce, nonceIsOptional: nonce == nil),
                at: one.time ?? 0)
            // What is in the event log is another verifier's matter.
            let reason = one.reason.flatMap { Self.checks[$0] }
            let isWeak =
                one.policy?.forbid_sha1_bank == true && result.weakAlgorithms.contains("SHA-1 bank")
            let isAccepted = result.claims != nil && !isWeak
            let wanted = one.result == "accept" || one.reason == "eventlog-replay-mismatch"
            #expect(isAccepted == wanted, "\(entry.id), \(one.name): \(result.findings)")
            if let reason {
                #expect(result.refused.contains(reason.rawValue), "\(entry.id): \(result.refused)")
            }
            #expect((one.reason == "weak-algorithm") == isWeak)
        }
    }

    @Test(
        "every chain of an attestation key's certificate gets its verdict",
        arguments: try Vectors.entries(["tpm-ak-certificate"]))
    func certificates(entry: VectorEntry) throws {
        let paths = entry.files.filter { $0.role == "issuer-certificate" }.map(\.path)
        var chain = [try X509Certificate(derOrPEM: entry.file("ak-certificate"))]
        chain += try paths.map { try X509Certificate(derOrPEM: Vectors.bytes($0)) }
        for one in entry.expect.cases {
            let result = TPMQuoteVerifier(anchors: TrustAnchor.google).verify(
                TPMQuoteVerifier.Quote(attestation: [], signature: .structure([]), values: nil),
                key: AttestationKey(key: try VerificationKey(of: chain[0])),
                trust: .vendorCertificate(chain: chain, revocationLists: []),
                expected: TPMQuoteVerifier.Expectation(nonce: nil), at: try #require(one.time))
            #expect(one.result == "accept")
            #expect(result.refused == ["TPM quote"], "\(entry.id): \(result.findings)")
            #expect(result.outcome(.keyTrust) == "ok")
        }
    }

    @Test(
        "a report and a quote of one machine are each judged, and the key's trust is shown as nobody's",
        arguments: try Vectors.entries(["snp+tpm+ima"]))
    func bound(entry: VectorEntry) throws {
        for one in entry.expect.cases {
            let time = try #require(one.time)
            let report = SNPVerifier(anchors: TrustAnchor.amd).verify(
                reportBytes: try entry.file("report"),
                certificates: SNPCertificates(
                    endorsementKey: try entry.file("vcek-der"),
                    intermediate: try Vectors.bytes("roots/sev-milan.der"),
                    root: try Vectors.bytes("roots/ark-milan.der")),
                expected: nil, bindingIsOptional: true, at: time)
            #expect(report.claims?.snp != nil, "\(report.findings)")
            let leaf = try X509Certificate(derOrPEM: entry.file("ak-certificate"))
            func verify(_ trust: KeyTrustEvidence) throws -> TPMResult {
                TPMQuoteVerifier(anchors: TrustAnchor.google).verify(
                    TPMQuoteVerifier.Quote(
                        attestation: try entry.file("tpms-attest"),
                        signature: .structure(try entry.file("tpmt-signature")),
                        values: try PCRValues(json: entry.file("pcr-values"))),
                    key: AttestationKey(key: try VerificationKey(of: leaf)), trust: trust,
                    expected: TPMQuoteVerifier.Expectation(
                        nonce: one.inputs?["nonce"].flatMap { Hex.decode($0) },
                        selection: PCRSelection([.sha1: [10]])), at: time)
            }
            // Its issuer is not in the set, so the certificate alone vouches for nothing.
            let alone = try verify(.vendorCertificate(chain: [leaf], revocationLists: []))
            #expect(alone.refused.contains("TPM key root") && alone.claims == nil)
            let result = try verify(.nothing)
            #expect(result.weakAlgorithms == ["SHA-1 bank"])
            // The index gives the reason of the log first where that is cut.
            #expect(result.refused == (one.name == "other-nonce" ? ["TPM nonce"] : []))
            #expect(result.claims == nil || result.claims?.keyTrust.launchClass == .hostVTPM)
        }
    }

    @Test("a key file and a certificate beside it name one key")
    func keysAgree() throws {
        for entry in try Vectors.entries(["tpm-quote"]) {
            let plain = try VerificationKey(subjectPublicKeyInfo: entry.file("ak-public-key-spki"))
            for key in [try attestationKey(entry).key, try? certified(entry)].compactMap({ $0 }) {
                #expect(key.subjectPublicKeyInfo == plain.subjectPublicKeyInfo, "\(entry.id)")
            }
        }
    }

    private static let checks: [String: TPMCheck] = [
        "bad-signature": .signature, "nonce-mismatch": .nonce, "pcr-digest-mismatch": .digest,
        "untrusted-root": .keyRoot,
    ]

    private func certified(_ entry: VectorEntry) throws -> VerificationKey {
        try VerificationKey(of: X509Certificate(derOrPEM: entry.file("ak-certificate")))
    }

    private func attestationKey(_ entry: VectorEntry) throws -> AttestationKey {
        if let bytes = try? entry.file("ak-tpmt-public") {
            return try AttestationKey(publicArea: TPMPublic(parsing: bytes))
        }
        if let bytes = try? entry.file("ak-tpm2b-public") {
            return try AttestationKey(publicArea: TPMPublic(parsingSized: bytes))
        }
        return AttestationKey(
            key: try VerificationKey(subjectPublicKeyInfo: entry.file("ak-public-key-spki")))
    }

    private func values(_ entry: VectorEntry) throws -> PCRValues? {
        if let bytes = try? entry.file("pcr-values") { return try PCRValues(json: bytes) }
        if let bytes = try? entry.file("tpm2-tools-pcr-file") {
            return try PCRValues(toolsFile: bytes)
        }
        return nil
    }
}
