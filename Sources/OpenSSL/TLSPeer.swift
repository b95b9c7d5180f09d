public import Bytes
internal import COpenSSL

/// What a TLS connection tells that another library made with this process's OpenSSL.
public struct TLSPeer: Equatable, Sendable {
    /// DER of the leaf certificate that the server used; nobody has looked at who signed it.
    public let certificate: [UInt8]
    /// The channel binding `tls-exporter` of RFC 9266; nil for a connection older than TLS 1.3, whose exporter need
    /// not be of this very handshake.
    public let channelBinding: FixedBytes<32>?

    /// Takes both.
    public init(certificate: [UInt8], channelBinding: FixedBytes<32>?) {
        self.certificate = certificate
        self.channelBinding = channelBinding
    }

    /// Asks a connection whose handshake is over; nil where it shows no certificate.
    ///
    /// - Parameter ssl: an `SSL *` that lives as long as this call takes.
    @unsafe public init?(ssl: OpaquePointer) {
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
        let der = unsafe CertificateHandle(owning: certificate).encoded
        guard unsafe SSL_version(ssl) == TLS1_3_VERSION else {
            self.init(certificate: der, channelBinding: nil)
            return
        }
        let label = Array("EXPORTER-Channel-Binding".utf8CString)
        var material = [UInt8](repeating: 0, count: 32)
        let done = unsafe SSL_export_keying_material(
            ssl, &material, material.count, label, label.count - 1, nil, 0, 0)
        guard done == 1, !der.isEmpty, let binding = FixedBytes<32>(material) else {
            ERR_clear_error()
            return nil
        }
        self.init(certificate: der, channelBinding: binding)
    }

    /// SHA-256 of the certificate's DER.
    public var certificateDigest: FixedBytes<32> { OpenSSLHashing().sha256(certificate) }
}
