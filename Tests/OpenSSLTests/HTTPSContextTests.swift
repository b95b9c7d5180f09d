import Bytes
import OpenSSL
import Testing

/// A server of HTTPS and `openssl`-shaped clients of it, by engines alone.
@Suite("HTTPS server context")
struct HTTPSContextTests {
    private static func certificate(
        of key: borrowing SigningKey, _ signature: CertificateTemplate.Signature = .ecdsaSHA256
    ) throws -> X509Certificate {
        let name = CertificateTemplate.Name(commonName: "vm.example")
        let template = CertificateTemplate(
            subject: name, issuer: name, serial: [1], notBefore: 0, notAfter: 4_000_000_000,
            signature: signature)
        return try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
    }

    @Test("serves clients that ask for its protocol, and says which certificate it served")
    func serves() throws {
        let key = try SigningKey.generate(.p256)
        let certificate = try Self.certificate(of: key)
        let server = try TLSServerContext(
            httpsCertificatePEM: certificate.pem, privateKeyPEM: key.pem())
        #expect(server.certificateDigest == OpenSSLHashing().sha256(certificate.der))
        let client = try TLSClientContext(
            pins: [certificate.subjectPublicKeyInfoDigest], alpn: "http/1.1")
        let link = try TestLink(
            client: TLSEngine(client: client, serverName: nil), server: TLSEngine(server: server))
        try link.establish()
        #expect(link.server.peerKeyDigest == nil)
        #expect(try link.server.channelBinding() == link.client.channelBinding())
    }

    @Test("goes on with clients that ask for another protocol or none")
    func otherProtocols() throws {
        let key = try SigningKey.generate(.p256)
        let certificate = try Self.certificate(of: key)
        let server = try TLSServerContext(
            httpsCertificatePEM: certificate.pem, privateKeyPEM: key.pem())
        let engine = try TLSEngine(server: server)
        try engine.receive(bytes(ClientHello.withoutALPN))
        #expect(try !engine.handshake())
        #expect(!engine.takeOutput().isEmpty)
        let other = try TLSClientContext(
            pins: [certificate.subjectPublicKeyInfoDigest], alpn: "h2")
        let link = try TestLink(
            client: TLSEngine(client: other, serverName: nil), server: TLSEngine(server: server))
        // Our own client insists; the server has done its part.
        #expect(throws: TLSError.protocolNotAgreed(expected: "h2")) { try link.establish() }
    }

    @Test("takes keys of P-384 and RSA, and no key that is another certificate's")
    func keys() throws {
        for (kind, signature) in [
            (SigningKey.Kind.p384, CertificateTemplate.Signature.ecdsaSHA256),
            (.rsa4096, .rsaPSSSHA384),
        ] {
            let key = try SigningKey.generate(kind)
            let certificate = try Self.certificate(of: key, signature)
            let server = try TLSServerContext(
                httpsCertificatePEM: certificate.pem, privateKeyPEM: key.pem())
            let client = try TLSClientContext(
                pins: [certificate.subjectPublicKeyInfoDigest], alpn: "http/1.1")
            let link = try TestLink(
                client: TLSEngine(client: client, serverName: nil),
                server: TLSEngine(server: server))
            try link.establish()
        }
        let key = try SigningKey.generate(.p256)
        let certificate = try Self.certificate(of: key)
        #expect(throws: TLSError.self) {
            _ = try TLSServerContext(
                httpsCertificatePEM: certificate.pem,
                privateKeyPEM: SigningKey.generate(.p256).pem())
        }
        #expect(throws: TLSError.privateKey("expected an unencrypted private key in PEM")) {
            _ = try unsafe TLSServerContext(
                httpsCertificatePEM: certificate.pem,
                privateKeyPEM: SecretBytes(count: 4) { _ in })
        }
    }
}
