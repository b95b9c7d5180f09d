import Bytes
import Evidence
import OpenSSL
import Policy
import TPM
import TestSupport
import Testing
import Verification

/// The verifier's side against a real swtpm, which does its own side.
@Suite(
    "Quotes and credentials of a software TPM", .enabled(if: SoftwareTPM.isInstalled), .serialized)
struct SoftwareTPMTests {
    private let software: SoftwareTPM

    init() throws {
        software = try SoftwareTPM()
    }

    /// ``TPMTemplate/attestationRSA(label:)`` with RSAPSS.
    private static var attestationPSS: TPMTemplate {
        var bytes = TPMTemplate.attestationRSA(label: "pss").bytes
        // type, nameAlg, attributes, empty policy, symmetric: the scheme stands at 12.
        bytes[13] = 0x16
        return TPMTemplate(bytes: bytes)
    }

    @Test(
        "its quotes are accepted by every scheme, and each is over its nonce and registers only",
        arguments: [
            TPMTemplate.attestationP256(label: "one"), .attestationRSA(label: "two"),
            attestationPSS,
        ])
    func quotes(template: TPMTemplate) throws {
        let tpm = try TPM(.simulator(port: software.port))
        try tpm.extend(15, [(.sha256, OpenSSLHashing().digest(.sha256, [1]))])
        let made = try tpm.makeKey(template)
        let area = try TPMPublic(parsing: made.publicArea)
        #expect(area.name(hashing: OpenSSLHashing()).bytes == made.name)
        let nonce = [UInt8](repeating: 0x5a, count: 32)
        let quote = try made.quote(over: nonce, [0, 7, 15], banks: [.sha256])
        var values = PCRValues()
        for (index, digest) in try tpm.registers([0, 7, 15], bank: .sha256) {
            try values.insert(digest, at: UInt8(index), in: .sha256)
        }
        func verify(
            _ values: PCRValues, _ nonce: [UInt8], _ registers: Set<UInt8>
        ) throws -> TPMResult {
            TPMQuoteVerifier(anchors: []).verify(
                TPMQuoteVerifier.Quote(
                    attestation: quote.attest, signature: .structure(quote.signature),
                    values: values),
                key: try AttestationKey(publicArea: area), trust: .teeReport(keyName: made.name),
                expected: TPMQuoteVerifier.Expectation(
                    nonce: nonce, selection: PCRSelection([.sha256: registers])), at: 0)
        }
        let result = try verify(values, nonce, [0, 7, 15])
        #expect(result.refused.isEmpty, "\(result.findings)")
        #expect(result.claims?.pcrs == values)
        #expect(try verify(values, nonce + [0], [0, 7, 15]).refused == ["TPM nonce"])
        #expect(try verify(values, nonce, [0, 7]).refused == ["PCR selection"])
        let zero = [UInt8](repeating: 0, count: 32)
        var stale = PCRValues()
        for index in [0, 7, 15] as [UInt8] { try stale.insert(zero, at: index, in: .sha256) }
        #expect(try verify(stale, nonce, [0, 7, 15]).refused == ["PCR digest"])
    }

    @Test(
        "it opens our credential with both keys in it, and that ties the one to the other",
        arguments: [TPMTemplate.endorsementRSA, .endorsementP256])
    func credentials(template: TPMTemplate) throws {
        let tpm = try TPM(.simulator(port: software.port))
        let endorsement = try tpm.makeKey(template)
        let attestation = try tpm.makeKey(.attestationP256(label: "credential"))
        let endorsementKey = try TPMPublic(parsing: endorsement.publicArea)
        let secret = try #require(FixedBytes<32>(Array(1...32)))
        let challenge = try CredentialChallenge(
            endorsementKey: endorsementKey,
            attestationKey: TPMName(parsing: attestation.name), secret: secret)
        let credential = TPMCredential(
            idObject: challenge.credentialBlob, encryptedSecret: challenge.encryptedSecret)
        let answer = try attestation.activate(credential, by: endorsement)
        #expect(answer == secret.bytes)
        let activation = try #require(challenge.activation(answer: answer))
        #expect(challenge.activation(answer: Array(answer.reversed())) == nil)
        #expect(challenge.activation(answer: answer + [0]) == nil)

        // The same TPM's other key has another name, so the TPM itself refuses.
        let other = try tpm.makeKey(.attestationP256(label: "other"))
        #expect(throws: TPMError.self) { try other.activate(credential, by: endorsement) }
        for offset in [2, 40, challenge.credentialBlob.count - 1] {
            var changed = challenge.credentialBlob
            changed[offset] ^= 1
            #expect(throws: TPMError.self) {
                try attestation.activate(
                    TPMCredential(
                        idObject: changed, encryptedSecret: challenge.encryptedSecret),
                    by: endorsement)
            }
        }

        let quote = try attestation.quote(over: [1], [0], banks: [.sha256])
        func verify(_ publicArea: [UInt8]) throws -> TPMResult {
            let key = try AttestationKey(publicArea: TPMPublic(parsing: publicArea))
            let manifest = SVSMManifest(
                bytes: endorsement.publicArea, reportVMPL: 0, activation: activation)
            return TPMQuoteVerifier(anchors: []).verify(
                TPMQuoteVerifier.Quote(
                    attestation: quote.attest, signature: .structure(quote.signature), values: nil),
                key: key, trust: .svsmManifest(manifest),
                expected: TPMQuoteVerifier.Expectation(nonce: [1]), at: 0)
        }
        #expect(try verify(attestation.publicArea).claims?.keyTrust == .svsmManifest)
        #expect(try verify(other.publicArea).refused == ["TPM signature", "TPM key trust"])
    }

    @Test("no credential is made for a key that is none of endorsement")
    func notEndorsement() throws {
        let tpm = try TPM(.simulator(port: software.port))
        let attestation = try tpm.makeKey(.attestationP256(label: "none"))
        let area = try TPMPublic(parsing: attestation.publicArea)
        #expect(throws: CredentialChallenge.Fault.self) {
            try CredentialChallenge(
                endorsementKey: area, attestationKey: area.name(hashing: OpenSSLHashing()),
                secret: FixedBytes())
        }
    }
}
