public import Bytes
internal import COpenSSL

/// One TLS 1.3 connection without a socket: ciphertext in, plaintext out, and the other way round.
///
/// Give it what the network brought (``receive(_:)``), go on (``handshake()``, ``read()``,
/// ``write(_:)``), then send ``takeOutput()`` — also after an error, when it holds the alert.
/// After an error every call throws that error again.
@safe public final class TLSEngine {
    /// Ciphertext that may wait to be read, in bytes.
    public static let inputLimit = 1 << 16

    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let peer: UnsafeMutablePointer<bootgate_peer>
    /// Kept for as long as `ssl` points into it.
    private let context: AnyObject
    private let alpn: String
    private let needsALPN: Bool
    private var state = State.handshaking

    private enum State {
        case handshaking
        case established
        case failed(TLSError)
    }

    /// Whether the peer said that it sends nothing more; what it sent before has been read.
    public private(set) var peerHasClosed = false

    /// A server's end of a new connection.
    public convenience init(server: TLSServerContext) throws(TLSError) {
        try self.init(server.handle, keeping: server)
        unsafe SSL_set_accept_state(ssl)
    }

    /// A client's end.
    ///
    /// - Parameter serverName: goes to the server in the clear, unless it is an IP address
    ///   (RFC 6066, section 3), and is compared with nothing.
    public convenience init(client: TLSClientContext, serverName: String?) throws(TLSError) {
        try self.init(client.handle, keeping: client)
        unsafe SSL_set_connect_state(ssl)
        if let serverName, !isIPAddress(serverName) {
            guard unsafe bootgate_SSL_set_tlsext_host_name(ssl, serverName) == 1 else {
                throw .library(OpenSSLFault("SSL_set_tlsext_host_name"))
            }
        }
    }

    private init(_ handle: TLSContextHandle, keeping context: AnyObject) throws(TLSError) {
        guard let ssl = unsafe SSL_new(handle.pointer) else {
            throw .library(OpenSSLFault("SSL_new"))
        }
        guard let input = unsafe BIO_new(BIO_s_mem()), let output = unsafe BIO_new(BIO_s_mem())
        else {
            unsafe SSL_free(ssl)
            throw .library(OpenSSLFault("BIO_new"))
        }
        // `ssl` owns both from here on.
        unsafe SSL_set_bio(ssl, input, output)
        unsafe self.ssl = ssl
        unsafe self.input = input
        unsafe self.output = output
        self.context = context
        alpn = handle.alpn
        needsALPN = handle.needsALPN
        unsafe peer = .allocate(capacity: 1)
        unsafe peer.initialize(to: bootgate_peer())
        unsafe bootgate_SSL_set_peer(ssl, peer)
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe peer.deallocate()
    }

    /// Takes bytes that the network brought.
    ///
    /// - Throws: `TLSError.tooMuchPending` when more than ``inputLimit`` bytes would wait.
    public func receive(_ ciphertext: [UInt8]) throws(TLSError) {
        try requireNoFailure()
        guard unsafe bootgate_BIO_pending(input) + ciphertext.count <= Self.inputLimit else {
            throw fail(.tooMuchPending(limit: Self.inputLimit))
        }
        guard !ciphertext.isEmpty else { return }
        guard unsafe BIO_write(input, ciphertext, Int32(ciphertext.count)) == ciphertext.count
        else { throw fail(.library(OpenSSLFault("BIO_write"))) }
    }

    /// Goes on with the handshake as far as the received bytes reach; true when it is done.
    public func handshake() throws(TLSError) -> Bool {
        try requireNoFailure()
        if case .established = state { return true }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        guard result == 1 else {
            guard unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else {
                throw fail(handshakeError())
            }
            return false
        }
        guard !needsALPN || agreedProtocol == Array(alpn.utf8) else {
            throw fail(.protocolNotAgreed(expected: alpn))
        }
        state = .established
        return true
    }

    /// The plaintext that the received bytes hold; empty when they end before a whole record.
    public func read() throws(TLSError) -> [UInt8] {
        try requireEstablished()
        var plaintext: [UInt8] = []
        while unsafe !peerHasClosed && (bootgate_BIO_pending(input) > 0 || SSL_pending(ssl) > 0) {
            var outcome = SSL_ERROR_NONE
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, count in
                ERR_clear_error()
                let result = unsafe SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
                if result != 1 {
                    count = 0
                    outcome = unsafe SSL_get_error(ssl, result)
                }
            }
            switch outcome {
            case SSL_ERROR_NONE: plaintext += chunk
            case SSL_ERROR_WANT_READ: return plaintext
            case SSL_ERROR_ZERO_RETURN: peerHasClosed = true
            default: throw fail(.recordRefused(OpenSSLFault("SSL_read_ex")))
            }
        }
        return plaintext
    }

    /// Encrypts `plaintext` into the output.
    public func write(_ plaintext: [UInt8]) throws(TLSError) {
        try requireEstablished()
        guard !plaintext.isEmpty else { return }
        ERR_clear_error()
        var written = 0
        guard unsafe SSL_write_ex(ssl, plaintext, plaintext.count, &written) == 1,
            written == plaintext.count
        else { throw fail(.recordRefused(OpenSSLFault("SSL_write_ex"))) }
    }

    /// Takes the bytes that the network is to carry to the peer.
    public func takeOutput() -> [UInt8] {
        let count = unsafe bootgate_BIO_pending(output)
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let taken = unsafe BIO_read(output, buffer.baseAddress, Int32(count))
            filled = max(0, Int(taken))
        }
    }

    /// Keying material of RFC 8446, section 7.5, with an empty context.
    public func exporter(label: String, count: Int) throws(TLSError) -> [UInt8] {
        try requireEstablished()
        var material = [UInt8](repeating: 0, count: count)
        let name = Array(label.utf8CString)
        let done = unsafe SSL_export_keying_material(
            ssl, &material, count, name, name.count - 1, nil, 0, 0)
        guard done == 1 else { throw .library(OpenSSLFault("SSL_export_keying_material")) }
        return material
    }

    /// The channel binding `tls-exporter` of RFC 9266.
    public func channelBinding() throws(TLSError) -> FixedBytes<32> {
        let material = try exporter(label: "EXPORTER-Channel-Binding", count: 32)
        guard let binding = FixedBytes<32>(material) else {
            preconditionFailure("asked for 32 bytes, have \(material.count)")
        }
        return binding
    }

    /// SHA-256 of the SubjectPublicKeyInfo that the peer presented; nil where it presented none.
    ///
    /// Once the handshake is done the peer has proved that it holds the key.
    public var peerKeyDigest: FixedBytes<32>? {
        guard unsafe peer.pointee.present == 1 else { return nil }
        return unsafe withUnsafeBytes(of: &peer.pointee.digest) { unsafe FixedBytes<32>($0) }
    }

    /// Says that nothing more will be sent; what the peer sends can still be read.
    public func closeNotify() {
        guard case .established = state else { return }
        ERR_clear_error()
        unsafe SSL_shutdown(ssl)
    }

    private var agreedProtocol: [UInt8] {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        return unsafe Array(UnsafeBufferPointer(start: name, count: Int(count)))
    }

    private func handshakeError() -> TLSError {
        let reason = bootgate_ERR_peek_reason()
        let fault = OpenSSLFault("SSL_do_handshake")
        if unsafe SSL_get_verify_result(ssl) == Int(X509_V_ERR_APPLICATION_VERIFICATION),
            let presented = peerKeyDigest
        {
            return .peerKeyNotPinned(presented: presented)
        }
        // The last one is the alert of that name from the peer.
        let protocolReasons = [
            SSL_R_CALLBACK_FAILED, SSL_R_NO_APPLICATION_PROTOCOL,
            SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL,
        ]
        return protocolReasons.contains(reason)
            ? .protocolNotAgreed(expected: alpn) : .handshakeFailed(fault)
    }

    private func fail(_ error: TLSError) -> TLSError {
        state = .failed(error)
        return error
    }

    private func requireNoFailure() throws(TLSError) {
        if case .failed(let error) = state { throw error }
    }

    private func requireEstablished() throws(TLSError) {
        try requireNoFailure()
        guard case .established = state else { throw .notEstablished }
    }
}

/// Whether `host` can only be an address: IPv6 has colons, IPv4 nothing but digits and dots.
private func isIPAddress(_ host: String) -> Bool {
    host.contains(":") || host.utf8.allSatisfy { $0 == 0x2e || (0x30...0x39).contains($0) }
}
