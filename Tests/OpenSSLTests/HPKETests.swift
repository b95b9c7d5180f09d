import Bytes
import OpenSSL
import Testing

/// Mode 0, kem 0x0020, kdf 0x0001, aead 0x0002 of the test vectors published with RFC 9180
/// (cfrg/draft-irtf-cfrg-hpke, test-vectors.json), encryption with sequence number 0.
@Suite struct HPKETests {
    private let skRm = "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d"
    private let pkRm = "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c"
    private let skEm = "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11"
    private let enc = "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256"
    private let info = "4f6465206f6e2061204772656369616e2055726e"
    private let aad = "436f756e742d30"
    private let plaintext = "4265617574792069732074727574682c20747275746820626561757479"
    private let ciphertext =
        "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a"

    @Test("seals as the published vector does")
    func seals() throws {
        let sealed = try HPKE.seal(
            to: #require(FixedBytes(hex: pkRm)), info: bytes(info), aad: bytes(aad),
            plaintext: secret(hex: plaintext), ephemeral: secret(hex: skEm))
        #expect(sealed.enc.hex == enc)
        #expect(Hex.encode(sealed.ciphertext) == ciphertext)
    }

    @Test("opens the published vector")
    func opens() throws {
        let key = try HPKEPrivateKey(scalar: secret(hex: skRm))
        #expect(key.publicKey.hex == pkRm)
        let opened = try key.open(
            enc: #require(FixedBytes(hex: enc)), info: bytes(info), aad: bytes(aad),
            ciphertext: bytes(ciphertext))
        #expect(Hex.encode(reveal(opened)) == plaintext)
    }

    @Test("opens nothing under another info, aad, key or encapsulated key")
    func refusesAnotherContext() throws {
        let key = try HPKEPrivateKey(scalar: secret(hex: skRm))
        let encapsulated = try #require(FixedBytes<32>(hex: enc))
        var turned = encapsulated
        turned[0] ^= 1
        let other = try HPKEPrivateKey(scalar: secret(hex: skEm))
        for (enc, info, aad) in [
            (encapsulated, [], bytes(aad)), (encapsulated, bytes(info), []),
            (turned, bytes(info), bytes(aad)),
        ] {
            expectRefusal(key, enc: enc, info: info, aad: aad)
        }
        expectRefusal(other, enc: encapsulated, info: bytes(info), aad: bytes(aad))
    }

    private func expectRefusal(
        _ key: borrowing HPKEPrivateKey, enc: FixedBytes<32>, info: [UInt8], aad: [UInt8]
    ) {
        var refusal: CryptoError?
        do throws(CryptoError) {
            _ = try key.open(enc: enc, info: info, aad: aad, ciphertext: bytes(ciphertext))
        } catch {
            refusal = error
        }
        #expect(refusal == .notAuthentic)
    }

    @Test("opens nothing when a bit of the ciphertext flips")
    func refusesFlippedBits() throws {
        let key = try HPKEPrivateKey(scalar: secret(hex: skRm))
        let encapsulated = try #require(FixedBytes<32>(hex: enc))
        for bit in 0..<bytes(ciphertext).count * 8 {
            var changed = bytes(ciphertext)
            changed[bit / 8] ^= 1 << (bit % 8)
            var opened = false
            do throws(CryptoError) {
                _ = try key.open(
                    enc: encapsulated, info: bytes(info), aad: bytes(aad), ciphertext: changed)
                opened = true
            } catch {
                #expect(error == .notAuthentic)
            }
            #expect(!opened)
        }
    }

    @Test("refuses a public key of small order and a scalar that is no 32 bytes")
    func refusesWeakKeys() throws {
        #expect(throws: CryptoError.weakPublicKey) {
            _ = try HPKE.seal(
                to: FixedBytes(), info: [], aad: [], plaintext: secret([1]),
                ephemeral: secret(hex: skEm))
        }
        #expect(
            throws: CryptoError.wrongLength(field: "X25519 scalar", expected: "32", actual: 31)
        ) { _ = try HPKEPrivateKey(scalar: secret([UInt8](repeating: 1, count: 31))) }
    }

    @Test("keeps the clamped scalar in the arena while the key lives, and only so long")
    func wipes() throws {
        var clamped = (0..<32).map { UInt8(0x5a ^ $0) }
        let random = clamped
        clamped[0] &= 0xf8
        clamped[31] = clamped[31] & 0x7f | 0x40
        let key = try HPKEPrivateKey(scalar: secret(random))
        #expect(arenaHolds(clamped))
        #expect(!arenaHolds(random))
        drop(key)
        #expect(!arenaHolds(clamped))
    }

    private func drop(_ key: consuming HPKEPrivateKey) {}

    private func arenaHolds(_ pattern: [UInt8]) -> Bool {
        let region = unsafe UnsafeRawBufferPointer(SecretArena.shared.region)
        return stride(from: 0, to: region.count, by: SecretArena.cellSize).contains {
            unsafe region[$0..<$0 + pattern.count].elementsEqual(pattern)
        }
    }
}
