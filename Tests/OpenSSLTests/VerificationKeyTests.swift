import Bytes
import OpenSSL
import Testing

@Suite("Keys that evidence is verified with")
struct VerificationKeyTests {
    private let message = Array("a quote".utf8)

    @Test("takes ECDSA signatures of the right key, message, hash and shape, and no other")
    func ecdsa() throws {
        for (kind, curve) in [(SigningKey.Kind.p256, VerificationKey.ECKind.p256), (.p384, .p384)] {
            let key = try SigningKey.generate(kind)
            let size = curve.size
            let public_ = try key.publicKey
            #expect(public_.kind == (curve == .p256 ? .p256 : .p384))
            let point = Array(public_.subjectPublicKeyInfo.suffix(2 * size))
            let same = try VerificationKey(
                ec: curve, x: Array(point.prefix(size)), y: Array(point.suffix(size)))
            #expect(same.subjectPublicKeyInfo == public_.subjectPublicKeyInfo)
            let signature = try key.sign(message, scheme: .ecdsa(.sha256))
            #expect(signature.count == 2 * size)
            #expect(same.verify(signature, over: message, scheme: .ecdsa(.sha256)))
            let digest = OpenSSLHashing().digest(.sha256, message)
            #expect(same.verify(signature, overDigest: digest, scheme: .ecdsa(.sha256)))
            #expect(!same.verify(signature, overDigest: digest + [0], scheme: .ecdsa(.sha256)))
            #expect(!same.verify(signature, over: message + [0], scheme: .ecdsa(.sha256)))
            #expect(!same.verify(signature, over: message, scheme: .ecdsa(.sha384)))
            #expect(!same.verify(signature, over: message, scheme: .rsaPSS(.sha256)))
            #expect(!same.verify([0] + signature, over: message, scheme: .ecdsa(.sha256)))
            for index in stride(from: 0, to: 2 * size, by: 7) {
                var changed = signature
                changed[index] ^= 0x20
                #expect(!same.verify(changed, over: message, scheme: .ecdsa(.sha256)))
            }
            let other = try SigningKey.generate(kind).publicKey
            #expect(!other.verify(signature, over: message, scheme: .ecdsa(.sha256)))
            let zero = [UInt8](repeating: 0, count: 2 * size)
            #expect(!same.verify(zero, over: message, scheme: .ecdsa(.sha256)))
        }
    }

    @Test("a DER signature has one form")
    func derSignature() throws {
        let key = try SigningKey.generate(.p256)
        let numbers = try key.sign(message, scheme: .ecdsa(.sha256))
        func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
            let trimmed = Array(number.drop { $0 == 0 })
            let padded = trimmed[0] >= 0x80 ? [0] + trimmed : trimmed
            return [2, UInt8(padded.count)] + padded
        }
        let body = integer(numbers.prefix(32)) + integer(numbers.suffix(32))
        let der = [0x30, UInt8(body.count)] + body
        let scheme = VerificationKey.Scheme.ecdsa(.sha256)
        let verifier = try key.publicKey
        #expect(verifier.verify(derSignature: der, over: message, scheme: scheme))
        #expect(!verifier.verify(derSignature: der + [0], over: message, scheme: scheme))
        let long = [0x30, 0x81, UInt8(body.count)] + body
        #expect(!verifier.verify(derSignature: long, over: message, scheme: scheme))
        #expect(!verifier.verify(derSignature: [], over: message, scheme: scheme))
        #expect(!verifier.verify(derSignature: der, over: message, scheme: .rsaPKCS1(.sha256)))
    }

    @Test("takes both RSA schemes, each for what it is")
    func rsa() throws {
        let key = try SigningKey.generate(.rsa4096)
        let verifier = try key.publicKey
        #expect(verifier.kind == .rsa(bits: 4096))
        let schemes: [VerificationKey.Scheme] = [
            .rsaPKCS1(.sha256), .rsaPSS(.sha256), .rsaPKCS1(.sha1), .rsaPSS(.sha384),
        ]
        for made in schemes {
            let signature = try key.sign(message, scheme: made)
            for asked in schemes + [.ecdsa(.sha256)] {
                #expect(
                    verifier.verify(signature, over: message, scheme: asked) == (made == asked))
            }
            #expect(!verifier.verify(signature + [0], over: message, scheme: made))
            #expect(!verifier.verify([0] + signature, over: message, scheme: made))
            #expect(!verifier.verify(Array(signature.dropFirst()), over: message, scheme: made))
            #expect(!verifier.verify(derSignature: signature, over: message, scheme: made))
        }
    }

    @Test("reads what openssl writes, as DER, as PEM and as numbers, and nothing around it")
    func openssl() throws {
        let der = try #require(Base64.decode(Self.rsa2048))
        let key = try VerificationKey(subjectPublicKeyInfo: der)
        #expect(key.kind == .rsa(bits: 2048))
        let pem = "-----BEGIN PUBLIC KEY-----\n\(Self.rsa2048)\n-----END PUBLIC KEY-----\n"
        #expect(try VerificationKey(pem: Array(pem.utf8)).subjectPublicKeyInfo == der)
        let modulus = Array(der[33..<289])
        let same = try VerificationKey(rsaModulus: modulus, exponent: [0, 1, 0, 1])
        #expect(same.subjectPublicKeyInfo == der)
        let p521 = try #require(Base64.decode(Self.p521))
        #expect(try VerificationKey(subjectPublicKeyInfo: p521).kind == .p521)
        for good in [der, p521] {
            for count in 0..<good.count {
                expectRefused { () throws(CryptoError) in
                    _ = try VerificationKey(subjectPublicKeyInfo: Array(good.prefix(count)))
                }
            }
            expectRefused { () throws(CryptoError) in
                _ = try VerificationKey(subjectPublicKeyInfo: good + [0])
            }
        }
        for text in [pem + "x", "x" + pem, pem + pem, ""] {
            expectRefused { () throws(CryptoError) in
                _ = try VerificationKey(pem: Array(text.utf8))
            }
        }
    }

    @Test("refuses points beside the curve and RSA numbers out of range")
    func wrongNumbers() throws {
        let point = try SigningKey.generate(.p256).publicKey.subjectPublicKeyInfo.suffix(64)
        var wrong = try #require(FixedBytes<64>(point))
        #expect(try VerificationKey(p256: wrong).kind == .p256)
        wrong[63] ^= 1
        let beside = wrong
        expectRefused { () throws(CryptoError) in _ = try VerificationKey(p256: beside) }
        expectRefused { () throws(CryptoError) in _ = try VerificationKey(p256: FixedBytes()) }
        for x in [[], [UInt8](repeating: 1, count: 33)] as [[UInt8]] {
            expectRefused { () throws(CryptoError) in
                _ = try VerificationKey(ec: .p256, x: x, y: [1])
            }
        }
        let modulus = [0x80] + [UInt8](repeating: 1, count: 255)
        for (n, e) in [
            (modulus.dropLast() + [2], [1, 0, 1]), (modulus, [1]), (modulus, []),
            (modulus, [1, 0, 0]), (modulus, [UInt8](repeating: 1, count: 9)),
            (Array(modulus.dropLast()), [1, 0, 1]), ([1] + modulus + modulus, [1, 0, 1]),
            ([], [1, 0, 1]),
        ] as [([UInt8], [UInt8])] {
            expectRefused { () throws(CryptoError) in
                _ = try VerificationKey(rsaModulus: n, exponent: e)
            }
        }
    }

    @Test("a certificate's key is the one that it names")
    func certificate() throws {
        let chain = try VendorChain()
        let key = try VerificationKey(of: chain.chip)
        #expect(key.kind == .p384)
        #expect(
            OpenSSLHashing().sha256(key.subjectPublicKeyInfo)
                == chain.chip.subjectPublicKeyInfoDigest)
        let signature = try chain.chipKey.sign(message, scheme: .ecdsa(.sha384))
        #expect(key.verify(signature, over: message, scheme: .ecdsa(.sha384)))
        #expect(try VerificationKey(of: chain.root).kind == .rsa(bits: 4096))
    }

    private func expectRefused(
        _ body: () throws(CryptoError) -> Void, at location: SourceLocation = #_sourceLocation
    ) {
        do throws(CryptoError) {
            try body()
            Issue.record("was taken", sourceLocation: location)
        } catch {}
    }

    /// By `openssl genrsa 2048`.
    private static let rsa2048 =
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr/30sZ8VPqwopW5wUPdCmQQcyZCAciPW"
        + "raJgDqGE51gIU698HLBbVkmXX6ChuH72LchC3n+wHYY+hJ4jdrjPMZiycwj3xRC92RkstUqWNhd9"
        + "iAhiBf14ggQACU6fbtiwf0EE/NVpNVIyPj7jwwjUCoPeF20xYaIVNX7lvdPxqd0gco7/mk1soyhu"
        + "FgR+FVc+G8qSnn6OgFVm3qek86Oh7WlEC99UpoEMAaGt59gkDd4vjeGrqW6hlK8uT+0srw1GNvnE"
        + "DMvxKOMTXlzlzy0pqSI/SnQ1EspgfruoH6OxQOJVyMZSweOZBJRnTL7uCzTL/9PPNZK7WgDJ1SF8"
        + "4Qvb4wIDAQAB"

    /// By `openssl ecparam -name secp521r1 -genkey`.
    private static let p521 =
        "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBRBkXV22Y9ujGUMOdelpIIx4X5ncA+/vM/Orb3tAD"
        + "F2T0rOxJjcTYpbis8i1JTpfc63aoLxdLDin9FzKjU81pjN0B7PPe0vgHcJVmxMhjqIpgLker5im/"
        + "JqR4TteSgMP67N53tfSRI1zSxWraG4FWUE9eV2nHUwaDnCNKbreEanqhpd8="
}
