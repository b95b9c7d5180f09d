import Bytes
import OpenSSL
import Testing

@Suite struct PrimitiveTests {
    @Test("hashes the message of FIPS 180-2, appendices B and C")
    func hashes() {
        let hashing = OpenSSLHashing()
        let message = Array("abc".utf8)
        #expect(
            hashing.sha256(message).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hashing.sha384(message).hex.hasPrefix("cb00753f45a35e8bb5a03d699ac65007"))
        #expect(hashing.sha512(message).hex.hasPrefix("ddaf35a193617abacc417349ae204131"))
        #expect(hashing.sha256([]).hex.hasPrefix("e3b0c44298fc1c149afbf4c8996fb924"))
    }

    @Test("agrees with RFC 4231 on HMAC-SHA256")
    func hmac() {
        let tag = HMAC.sha256(
            key: secret(Array("Jefe".utf8)), Array("what do ya want for nothing?".utf8))
        #expect(tag.hex == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("agrees with RFC 5869, appendices A.1 and A.3, on HKDF")
    func hkdf() {
        let ikm = String(repeating: "0b", count: 22)
        let first = HKDF.sha256(
            ikm: secret(hex: ikm), salt: bytes("000102030405060708090a0b0c"),
            info: bytes("f0f1f2f3f4f5f6f7f8f9"), count: 42)
        #expect(
            Hex.encode(reveal(first))
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
        let third = HKDF.sha256(ikm: secret(hex: ikm), salt: [], info: [], count: 42)
        #expect(
            Hex.encode(reveal(third))
                == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        )
    }

    @Test("expands to the 255 blocks that HKDF has and starts them alike")
    func longestExpansion() {
        let long = HKDF.sha256(ikm: secret([1]), salt: [], info: [], count: 255 * 32)
        let short = HKDF.sha256(ikm: secret([1]), salt: [], info: [], count: 33)
        #expect(Array(reveal(long).prefix(33)) == reveal(short))
    }

    @Test("agrees with the GCM specification's test case 16")
    func aesGCM() throws {
        let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
        let nonce = try #require(FixedBytes<12>(hex: "cafebabefacedbaddecaf888"))
        let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        let text =
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        let sealed = try AESGCM.seal(
            key: secret(hex: key), nonce: nonce, aad: aad, plaintext: secret(hex: text))
        #expect(
            Hex.encode(sealed)
                == "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b")
        let opened = try AESGCM.open(
            key: secret(hex: key), nonce: nonce, aad: aad, ciphertext: sealed)
        #expect(Hex.encode(reveal(opened)) == text)
    }

    @Test("opens nothing when a bit of ciphertext or tag flips, or the end is cut")
    func aesGCMTampering() throws {
        let key = [UInt8](repeating: 7, count: 32)
        let nonce = FixedBytes<12>()
        let sealed = try AESGCM.seal(
            key: secret(key), nonce: nonce, aad: [1], plaintext: secret([1, 2, 3]))
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: CryptoError.notAuthentic) {
                _ = try AESGCM.open(key: secret(key), nonce: nonce, aad: [1], ciphertext: changed)
            }
        }
        for count in 0..<sealed.count {
            #expect(throws: CryptoError.self) {
                _ = try AESGCM.open(
                    key: secret(key), nonce: nonce, aad: [1],
                    ciphertext: Array(sealed.prefix(count)))
            }
        }
        #expect(throws: CryptoError.notAuthentic) {
            _ = try AESGCM.open(key: secret(key), nonce: nonce, aad: [2], ciphertext: sealed)
        }
    }

    @Test("seals and opens an empty text")
    func aesGCMEmpty() throws {
        let key = [UInt8](repeating: 7, count: 32)
        let sealed = try AESGCM.seal(
            key: secret(key), nonce: FixedBytes(), aad: [], plaintext: secret([]))
        #expect(sealed.count == AESGCM.tagSize)
        let opened = try AESGCM.open(
            key: secret(key), nonce: FixedBytes(), aad: [], ciphertext: sealed)
        #expect(opened.count == 0)
    }

    @Test("names a key of the wrong length")
    func aesGCMKeyLength() {
        #expect(throws: CryptoError.wrongLength(field: "key", expected: "32", actual: 16)) {
            _ = try AESGCM.seal(
                key: secret([UInt8](repeating: 0, count: 16)), nonce: FixedBytes(), aad: [],
                plaintext: secret([]))
        }
    }
}
