public import Bytes
import Foundation
import OpenSSL
public import Protocol

/// The broker's end of the launch protocol on the loopback, by a certificate of its own; what it answers is the
/// test's.
public final class BrokerEnd: Sendable {
    /// What follows a message.
    public enum Answer: Sendable {
        /// These bytes, which may be none.
        case send([UInt8])
        /// These bytes, and the connection closes.
        case sendAndVanish([UInt8])
        /// The connection closes.
        case vanish
    }

    /// How a connection ended, as far as the test did not end it by itself.
    public enum Ending: Sendable {
        case finished
        case closedInHandshake
        case closed
    }

    /// On 127.0.0.1.
    public let port: UInt16
    /// SHA-256 of the public key of its certificate.
    public let pin: FixedBytes<32>
    private let listener: Int32
    private let context: TLSServerContext

    /// Listens; connections wait until they are served.
    public init() throws {
        let key = try SigningKey.generate(.p256)
        let name = CertificateTemplate.Name(commonName: "broker")
        let template = CertificateTemplate(
            subject: name, issuer: name, serial: [1], notBefore: 0, notAfter: 4_000_000_000,
            signature: .ecdsaSHA256)
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        pin = key.publicKeyInfoDigest
        context = try TLSServerContext(
            certificatePEM: certificate.pem, privateKeyPEM: key.pem(), alpn: "bootgate/1")
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = unsafe bind(listener, generic, length)
                listen(listener, 16)
                _ = unsafe getsockname(listener, generic, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(listener) }

    /// Takes the next connection and closes it before the handshake.
    public func hangUp() {
        close(accept(listener, nil, nil))
    }

    /// Serves the next connection, event by event.
    public func serve(
        _ answer: (VerifierEvent, inout VerifierSession) throws -> Answer
    ) throws -> Ending {
        let connection = accept(listener, nil, nil)
        defer { close(connection) }
        let engine = try TLSEngine(server: context)
        while try !engine.handshake() {
            send(connection, engine.takeOutput())
            guard let bytes = receive(connection) else { return .closedInHandshake }
            try engine.receive(bytes)
        }
        send(connection, engine.takeOutput())
        var session = VerifierSession(
            exporter: try engine.channelBinding(), hashing: OpenSSLHashing())
        while true {
            for event in try session.receive(try engine.read()) {
                switch try answer(event, &session) {
                case .send(let bytes): try engine.write(bytes)
                case .sendAndVanish(let bytes):
                    try engine.write(bytes)
                    send(connection, engine.takeOutput())
                    return .finished
                case .vanish: return .finished
                }
            }
            send(connection, engine.takeOutput())
            if session.isFinished { return .finished }
            guard let bytes = receive(connection) else { return .closed }
            try engine.receive(bytes)
        }
    }

    private func receive(_ connection: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = unsafe recv(connection, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        _ = unsafe Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
