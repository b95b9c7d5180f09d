import Bytes
import OpenSSL
import Testing

@Suite struct X509Tests {
    @Test("makes and checks a chain shaped like AMD's")
    func chain() throws {
        let chain = try VendorChain()
        #expect(chain.root.isSigned(by: chain.root))
        #expect(chain.intermediate.isSigned(by: chain.root))
        #expect(chain.chip.isSigned(by: chain.intermediate))
        #expect(!chain.chip.isSigned(by: chain.root))
        #expect(!chain.root.isSigned(by: chain.intermediate))
        for certificate in [chain.root, chain.intermediate, chain.chip] {
            #expect(certificate.signatureIsRSAPSSSHA384)
        }
        #expect(chain.root.basicConstraintsCA && chain.intermediate.basicConstraintsCA)
        #expect(!chain.chip.basicConstraintsCA)

        #expect(chain.chip.subjectCommonName == "SEV-VCEK")
        #expect(chain.chip.issuerCommonName == "SEV-Test")
        #expect(chain.chip.serialHex == "1200")
        #expect(chain.chip.notBefore == 1_600_000_000)
        #expect(chain.chip.notAfter == 2_600_000_000)
        #expect(chain.chip.isValid(at: 1_600_000_000) && !chain.chip.isValid(at: 1_599_999_999))
        #expect(chain.chip.isValid(at: 2_600_000_000) && !chain.chip.isValid(at: 2_600_000_001))
        #expect(chain.chip.extensionValue(oid: "1.3.6.1.4.1.3704.1.3.1") == [2, 1, 4])
        #expect(
            chain.chip.extensionValue(oid: "1.3.6.1.4.1.3704.1.4") == VendorChain.hardwareID)
        #expect(chain.chip.extensionValue(oid: "1.3.6.1.4.1.3704.1.9") == nil)
        #expect(chain.chip.extensionValue(oid: "no oid") == nil)
        #expect(chain.chip.subjectPublicKeyInfoDigest == chain.chipKey.publicKeyInfoDigest)

        try signatures(chain)
        try flippedBits(chain)
        try encodings(chain)
    }

    /// Reports are signed by the chip's key.
    private func signatures(_ chain: VendorChain) throws {
        let report = [UInt8](repeating: 3, count: 0x2a0)
        let signature = try chain.chipKey.signP384SHA384(report)
        let chip = chain.chip
        #expect(
            chip.verifyP384SHA384(signedBytes: report, r: signature.r, s: signature.s))
        var otherReport = report
        otherReport[0x29f] ^= 1
        #expect(
            !chip.verifyP384SHA384(signedBytes: otherReport, r: signature.r, s: signature.s))
        for index in 0..<48 {
            var r = signature.r
            r[index] ^= 0x10
            #expect(!chip.verifyP384SHA384(signedBytes: report, r: r, s: signature.s))
            var s = signature.s
            s[index] ^= 0x10
            #expect(!chip.verifyP384SHA384(signedBytes: report, r: signature.r, s: s))
        }
        #expect(!chip.verifyP384SHA384(signedBytes: report, r: signature.r + [0], s: signature.s))
        let zero = [UInt8](repeating: 0, count: 48)
        #expect(!chip.verifyP384SHA384(signedBytes: report, r: zero, s: zero))
        #expect(
            !chain.root.verifyP384SHA384(
                signedBytes: report, r: signature.r, s: signature.s))
    }

    /// One bit of each byte: either no certificate any more, or not signed.
    private func flippedBits(_ chain: VendorChain) throws {
        let der = chain.chip.der
        for index in der.indices {
            var changed = der
            changed[index] ^= 0x04
            guard let certificate = try? X509Certificate(der: changed) else { continue }
            #expect(!certificate.isSigned(by: chain.intermediate), "byte \(index)")
        }
    }

    private func encodings(_ chain: VendorChain) throws {
        let der = chain.chip.der
        for count in 0..<der.count {
            #expect(throws: X509Error.self) {
                _ = try X509Certificate(der: Array(der.prefix(count)))
            }
        }
        #expect(throws: X509Error.trailingBytes(1)) { _ = try X509Certificate(der: der + [0]) }
        #expect(throws: X509Error.self) { _ = try X509Certificate(der: [0x31] + der.dropFirst()) }

        let pem =
            chain.root.pem + chain.intermediate.pem + Array("text between\n".utf8) + chain.chip.pem
        let all = try X509Certificate.readAll(pem: pem)
        #expect(all.map(\.der) == [chain.root.der, chain.intermediate.der, chain.chip.der])
        #expect(try X509Certificate(pem: chain.chip.pem).der == der)
        #expect(throws: X509Error.certificateCount(expected: "1", actual: 3)) {
            _ = try X509Certificate(pem: pem)
        }
        #expect(throws: X509Error.self) {
            _ = try X509Certificate.readAll(pem: Array(chain.chip.pem.dropLast(10)))
        }
    }

    @Test("names the length of what cannot be a certificate")
    func lengths() {
        let maximum = X509Certificate.maximumCount
        for count in [0, maximum + 1] {
            #expect(throws: X509Error.length(actual: count, maximum: maximum)) {
                _ = try X509Certificate(der: [UInt8](repeating: 0x30, count: count))
            }
        }
    }

    @Test("refuses an extension that is there twice")
    func repeatedExtension() throws {
        let key = try SigningKey.generate(.p256)
        var template = VendorChain.template("a", by: "a", serial: 1)
        template.signature = .ecdsaSHA256
        template.extensions = [
            .init(oid: "1.3.6.1.4.1.3704.1.3.1", value: [2, 1, 4]),
            .init(oid: "1.3.6.1.4.1.3704.1.3.1", value: [2, 1, 9]),
        ]
        let der = try CertificateIssuer.issue(template, subjectKey: key, issuerKey: key)
        #expect(throws: X509Error.repeatedExtension(oid: "1.3.6.1.4.1.3704.1.3.1")) {
            _ = try X509Certificate(der: der)
        }
    }

    @Test("does not take another signature for AMD's, nor another issuer's name")
    func otherSignatures() throws {
        let key = try SigningKey.generate(.p256)
        var template = VendorChain.template("a", by: "b", serial: 1)
        template.signature = .ecdsaSHA256
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        #expect(!certificate.signatureIsRSAPSSSHA384)
        // Its own key made the signature, but the name is another's.
        #expect(!certificate.isSigned(by: certificate))
    }

    @Test("shows a name's control characters as question marks")
    func controlCharacters() throws {
        let key = try SigningKey.generate(.p256)
        var template = VendorChain.template("a\u{1b}[2Jb", by: "c", serial: 1)
        template.signature = .ecdsaSHA256
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        #expect(certificate.subjectCommonName == "a?[2Jb")
    }

    @Test("reads back the private keys it writes, and no others")
    func privateKeys() throws {
        for kind in [SigningKey.Kind.p256, .p384] {
            let key = try SigningKey.generate(kind)
            let read = try SigningKey(pem: key.pem())
            #expect(read.kind == kind)
            #expect(read.publicKeyInfoDigest == key.publicKeyInfoDigest)
        }
        for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            #expect(throws: CryptoError.self) { _ = try SigningKey(pem: secret(Array(text.utf8))) }
        }
    }

    @Test("refuses an encrypted private key and asks nobody for its password")
    func encryptedKey() {
        let pem = """
            -----BEGIN ENCRYPTED PRIVATE KEY-----
            MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhuspPw8WZCewICCAAw
            DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOFGDq/Cd8+7swBYC7U/wpcEgZB8
            AiGJLJ5anHesFJlSjkmRVKTxtd6Dw8RLLuBqS3k62JZfvraXnobzhqj/wFMWO/Zz
            U6XwMKpU9BvTxDFgX0hDjvnawnvm2wdD+5030jEnnnlRMZ4EOwwe2QeBlAcBWcuJ
            19TmVclCGJRc0iHSY3LJghXup5KtHilpw1Nb0MNrdGFEw/fVACQK9hsZ+hLH/J0=
            -----END ENCRYPTED PRIVATE KEY-----

            """
        #expect(
            throws: CryptoError.unsupportedKey("expected an unencrypted private key in PEM")
        ) { _ = try SigningKey(pem: secret(Array(pem.utf8))) }
    }

    @Test("refuses to sign with a key of the wrong kind")
    func wrongKind() throws {
        let key = try SigningKey.generate(.p256)
        let template = VendorChain.template("a", by: "a", serial: 1)
        #expect(throws: CryptoError.self) {
            _ = try CertificateIssuer.issue(template, subjectKey: key, issuerKey: key)
        }
        #expect(throws: CryptoError.unsupportedKey("expected P-384, is P-256")) {
            _ = try key.signP384SHA384([1])
        }
    }
}
