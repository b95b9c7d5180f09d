import Bytes
import OpenSSL

/// A server's key and certificate, made anew for a test.
struct TestServer {
    let certificate: X509Certificate
    let context: TLSServerContext
    var pin: FixedBytes<32> { certificate.subjectPublicKeyInfoDigest }

    init(alpn: String = "bootgate/1", notAfter: Int64 = 4_000_000_000) throws {
        let key = try SigningKey.generate(.p256)
        let name = CertificateTemplate.Name(commonName: "broker.example")
        var template = CertificateTemplate(
            subject: name, issuer: name, serial: [1], notBefore: 0, notAfter: notAfter,
            signature: .ecdsaSHA256)
        template.alternativeNames = ["broker.example", "192.0.2.1"]
        let der = try CertificateIssuer.issue(template, subjectKey: key, issuerKey: key)
        certificate = try X509Certificate(der: der)
        context = try TLSServerContext(
            certificatePEM: certificate.pem, privateKeyPEM: key.pem(), alpn: alpn)
    }
}

/// Two engines and the wire between them.
struct TestLink {
    let client: TLSEngine
    let server: TLSEngine
    /// How many bytes the wire carries at once.
    var chunk = Int.max

    /// Carries bytes in both directions until neither side has any; gives all that the client sent.
    @discardableResult
    func establish() throws -> [UInt8] {
        var sent: [UInt8] = []
        var done = (client: false, server: false)
        while true {
            if !done.client { done.client = try client.handshake() }
            let up = client.takeOutput()
            sent += up
            try deliver(up, to: server) { done.server = try server.handshake() }
            let down = server.takeOutput()
            try deliver(down, to: client) {
                if !done.client { done.client = try client.handshake() }
            }
            if done == (true, true), up.isEmpty, down.isEmpty { return sent }
            if up.isEmpty, down.isEmpty, !done.client { throw Stalled() }
        }
    }

    struct Stalled: Error {}

    private func deliver(_ bytes: [UInt8], to engine: TLSEngine, step: () throws -> Void) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            try engine.receive(Array(rest.prefix(chunk)))
            try step()
            rest = rest.dropFirst(chunk)
        }
    }
}
