public import Bytes
internal import COpenSSL

/// What both sides share: TLS 1.3 and nothing older, no resumption, one ALPN protocol.
///
/// Without tickets, pre-shared keys and early data every connection has a fresh exporter, which is
/// what evidence gets bound to.
@safe final class TLSContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let alpn: String
    /// The protocol with its length before it; libssl keeps a pointer to it.
    let wireALPN: UnsafeMutableBufferPointer<UInt8>

    init(method: OpaquePointer, alpn: String) throws(TLSError) {
        let name = Array(alpn.utf8)
        guard (1...255).contains(name.count) else { throw .protocolNameLength(name.count) }
        guard let context = unsafe SSL_CTX_new(method) else {
            throw .library(OpenSSLFault("SSL_CTX_new"))
        }
        self.alpn = alpn
        unsafe pointer = context
        unsafe wireALPN = .allocate(capacity: name.count + 1)
        _ = unsafe wireALPN.initialize(from: [UInt8(name.count)] + name)
        // From here on `deinit` cleans up.
        let options =
            bootgate_SSL_OP_NO_TICKET() | bootgate_SSL_OP_NO_RENEGOTIATION()
            | bootgate_SSL_OP_NO_COMPRESSION()
        unsafe SSL_CTX_set_options(context, options)
        unsafe bootgate_SSL_CTX_set_session_cache_off(context)
        // A waiting launch holds no record buffers.
        unsafe bootgate_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        guard unsafe bootgate_SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1,
            unsafe bootgate_SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1,
            unsafe bootgate_SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1,
            unsafe SSL_CTX_set_num_tickets(context, 0) == 1,
            unsafe SSL_CTX_set_max_early_data(context, 0) == 1
        else { throw .library(OpenSSLFault("SSL_CTX settings")) }
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
        unsafe wireALPN.deallocate()
    }
}

/// The server's side: a P-256 key and its certificate. Clients are known by their evidence only.
public final class TLSServerContext: Sendable {
    let handle: TLSContextHandle

    /// Reads a certificate chain, leaf first, and the leaf's unencrypted P-256 key.
    public init(
        certificatePEM: [UInt8], privateKeyPEM: borrowing SecretBytes, alpn: String
    ) throws(TLSError) {
        guard let method = unsafe TLS_server_method() else {
            throw .library(OpenSSLFault("TLS_server_method"))
        }
        handle = try unsafe TLSContextHandle(method: method, alpn: alpn)
        let context = unsafe handle.pointer
        unsafe bootgate_SSL_CTX_require_protocol(context, handle.wireALPN.baseAddress)

        let chain: [X509Certificate]
        do {
            chain = try X509Certificate.readAll(pem: certificatePEM)
        } catch {
            throw .certificate(error.description)
        }
        for (index, certificate) in chain.enumerated() {
            let certificate = unsafe certificate.handle.pointer
            let done =
                index == 0
                ? unsafe SSL_CTX_use_certificate(context, certificate)
                : unsafe bootgate_SSL_CTX_add1_chain_cert(context, certificate)
            guard done == 1 else {
                throw .certificate(OpenSSLFault("SSL_CTX_use_certificate").description)
            }
        }

        let key: SigningKey
        do {
            key = try SigningKey(pem: privateKeyPEM)
        } catch {
            throw .privateKey(error.description)
        }
        guard key.kind == .p256 else { throw .privateKey("expected P-256, is \(key.kind)") }
        guard unsafe SSL_CTX_use_PrivateKey(context, key.handle.pointer) == 1,
            unsafe SSL_CTX_check_private_key(context) == 1
        else {
            throw .privateKey(OpenSSLFault("SSL_CTX_check_private_key").description)
        }
    }
}

/// The client's side: any server that proves one of the pinned keys, whatever its certificate says.
///
/// In early boot no clock is trusted, so dates mean nothing; the key does.
@safe public final class TLSClientContext: @unchecked Sendable {
    let handle: TLSContextHandle
    private let pins: UnsafeMutablePointer<bootgate_pins>

    /// Accepts exactly the keys whose SHA-256 of SubjectPublicKeyInfo is in `pins` (1 to 16).
    public init(pins digests: [FixedBytes<32>], alpn: String) throws(TLSError) {
        guard (1...16).contains(digests.count) else { throw .pinCount(digests.count) }
        guard let method = unsafe TLS_client_method() else {
            throw .library(OpenSSLFault("TLS_client_method"))
        }
        let handle = try unsafe TLSContextHandle(method: method, alpn: alpn)
        let count = unsafe UInt32(handle.wireALPN.count)
        guard
            unsafe SSL_CTX_set_alpn_protos(handle.pointer, handle.wireALPN.baseAddress, count) == 0
        else { throw .library(OpenSSLFault("SSL_CTX_set_alpn_protos")) }
        self.handle = handle
        unsafe pins = .allocate(capacity: 1)
        unsafe pins.initialize(to: bootgate_pins())
        unsafe pins.pointee.count = digests.count
        unsafe withUnsafeMutableBytes(of: &pins.pointee.digests) { table in
            for (index, digest) in digests.enumerated() {
                unsafe table[(index * 32)...].copyBytes(from: digest.bytes)
            }
        }
        unsafe bootgate_SSL_CTX_set_pins(handle.pointer, pins)
    }

    deinit {
        // No engine is left: each holds its context.
        unsafe pins.deallocate()
    }
}
