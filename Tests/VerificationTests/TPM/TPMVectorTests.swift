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
