import Bytes
import OpenSSL
import Protocol
import Testing

@Suite struct BindingTests {
    @Test(
        "is what Python's hashlib makes of the same parts",
        arguments: ["binding-launch", "binding-launch-tpm", "binding-runtime"])
    func golden(name: String) throws {
        let vector = try Vector.named(name)
        vector.expectKeys(["purpose", "tls_exporter", "hello", "challenge", "attestation_key_name"])
        let purpose = try #require(Purpose.allCases.first { "\($0)" == vector.keys["purpose"] })
        let exporter = try vector.hex("tls_exporter")
        let binding = Binding.reportData(
            for: purpose, exporter: try #require(FixedBytes(exporter)),
            hello: try vector.hex("hello"), challenge: try vector.hex("challenge"),
            attestationKeyName: try vector.hex("attestation_key_name"), hashing: OpenSSLHashing())
        #expect(binding.bytes == vector.bytes)
    }

    @Test("the launch binding is that of purpose launch")
    func launch() throws {
        let vector = try Vector.named("binding-launch")
        let exporter = try vector.hex("tls_exporter")
        let binding = Binding.launch(
            exporter: try #require(FixedBytes(exporter)),
            hello: try vector.hex("hello"), challenge: try vector.hex("challenge"),
            attestationKeyName: [], hashing: OpenSSLHashing())
        #expect(binding.bytes == vector.bytes)
    }

    @Test("evidence for whoever asks is over the statement and the nonce, with a label of its own")
    func statement() throws {
        let vector = try Vector.named("binding-statement")
        vector.expectKeys(["tls_exporter", "statement", "nonce", "attestation_key_name"])
        let exporter = try #require(FixedBytes<32>(vector.hex("tls_exporter")))
        let nonce = try #require(FixedBytes<32>(vector.hex("nonce")))
        let statement = try vector.hex("statement")
        let name = try vector.hex("attestation_key_name")
        func binding(
            _ exporter: FixedBytes<32>, _ statement: [UInt8], _ nonce: FixedBytes<32>,
            _ name: [UInt8]
        ) -> FixedBytes<64> {
            Binding.runtime(
                exporter: exporter, statement: statement, nonce: nonce, attestationKeyName: name,
                hashing: OpenSSLHashing())
        }
        let whole = binding(exporter, statement, nonce, name)
        #expect(whole.bytes == vector.bytes)
        #expect(binding(FixedBytes(), statement, nonce, name) != whole)
        #expect(binding(exporter, statement + [0], nonce, name) != whole)
        #expect(binding(exporter, statement, FixedBytes(), name) != whole)
        #expect(binding(exporter, statement, nonce, []) != whole)
    }

    @Test("proof and volume key check are derived as docs/protocol.md says")
    func keys() throws {
        let vector = try Vector.named("keys")
        vector.expectKeys(["volume_key", "binding", "volume_key_check", "proof_key"])
        let volumeKey = secret(try vector.hex("volume_key"))
        let check = HKDF.sha256(
            ikm: volumeKey, salt: [], info: Array("bootgate vk id".utf8), count: 32)
        #expect(try holds(check, vector.hex("volume_key_check")))
        let proofKey = HKDF.sha256(
            ikm: volumeKey, salt: [], info: Array("bootgate proof".utf8), count: 32)
        #expect(try holds(proofKey, vector.hex("proof_key")))
        let proof = HMAC.sha256(key: proofKey, try vector.hex("binding"))
        #expect(proof.bytes == vector.bytes)
    }

    @Test("opens what an HPKE written from the RFC has sealed, and only under the same binding")
    func seal() throws {
        let vector = try Vector.named("seal")
        vector.expectKeys(["private_key", "info", "plaintext"])
        let release = try Release(parsing: try vector.bytes.onlyFrame().body)
        let key = try HPKEPrivateKey(scalar: secret(try vector.hex("private_key")))
        let info = try vector.hex("info")
        let plaintext = try key.open(
            enc: release.encapsulatedKey, info: info, aad: [], ciphertext: release.ciphertext)
        #expect(try holds(plaintext, vector.hex("plaintext")))
        let other = [info[0] ^ 1] + info.dropFirst()
        do {
            _ = try key.open(
                enc: release.encapsulatedKey, info: other, aad: [], ciphertext: release.ciphertext)
            Issue.record("opened under another binding")
        } catch {}
    }
}

func secret(_ bytes: [UInt8]) -> SecretBytes {
    unsafe SecretBytes(copying: bytes.span.bytes)
}

/// Whether `secret` is `bytes`; `#expect` itself cannot hold what cannot be copied.
func holds(_ secret: borrowing SecretBytes, _ bytes: [UInt8]) -> Bool {
    unsafe secret.withBytes { unsafe $0.elementsEqual(bytes) }
}
