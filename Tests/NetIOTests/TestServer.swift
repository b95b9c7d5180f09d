import Bytes
import NIOCore
import NetIO
import OpenSSL

/// A server's certificate, made anew for a test.
struct TestServer {
    let context: TLSServerContext
    let pin: FixedBytes<32>

    init() throws {
        let key = try SigningKey.generate(.p256)
        let name = CertificateTemplate.Name(commonName: "broker.example")
        var template = CertificateTemplate(
            subject: name, issuer: name, serial: [1], notBefore: 0, notAfter: 4_000_000_000,
            signature: .ecdsaSHA256)
        template.alternativeNames = ["broker.example"]
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        context = try TLSServerContext(
            certificatePEM: certificate.pem, privateKeyPEM: key.pem(), alpn: "bootgate/1")
        pin = certificate.subjectPublicKeyInfoDigest
    }

    func client() throws -> TLSEngine {
        try TLSEngine(
            client: TLSClientContext(pins: [pin], alpn: "bootgate/1"), serverName: nil)
    }
}

/// Keeps what comes out of the TLS handler, in order.
final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var bindings: [FixedBytes<32>] = []
    private(set) var plaintext: [UInt8] = []
    private(set) var tlsErrors: [TLSError] = []
    private(set) var otherErrors: [any Error] = []
    private(set) var inputCloses = 0
    private(set) var sawPlaintextFirst = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if bindings.isEmpty { sawPlaintextFirst = true }
        plaintext += Array(unwrapInboundIn(data).readableBytesView)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let established = event as? TLSEstablished {
            bindings.append(established.channelBinding)
        }
        if case .some(.inputClosed) = event as? ChannelEvent { inputCloses += 1 }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError {
            tlsErrors.append(error)
        } else {
            otherErrors.append(error)
        }
    }
}
