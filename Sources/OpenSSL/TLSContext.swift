public import Bytes
internal import COpenSSL

/// What both sides share: TLS 1.3 and nothing older, no resumption, one ALPN protocol.
///
/// Without tickets, pre-shared keys and early data every connection has a fresh exporter, which is
/// what evidence gets bound to.
@safe final class TLSContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let alpn: String
    /// Whether a connection without that protocol ends.
    let needsALPN: Bool
    /// The protocol with its length before it; libssl keeps a pointer to it.
    let wireALPN: UnsafeMutableBufferPointer<UInt8>

    init(method: OpaquePointer, alpn: String, needsALPN: Bool = true) throws(TLSError) {
        let name = Array(alpn.utf8)
        guard (1...255).contains(name.count) else { throw .protocolNameLength(name.count) }
        guard let context = unsafe SSL_CTX_new(method) else {
            throw .library(OpenSSLFault("SSL_CTX_new"))
        }
        self.alpn = alpn
        self.needsALPN = needsALPN
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

/// The server's side: a certificate chain and the leaf's key.
public final class TLSServerContext: Sendable {
    /// SHA-256 of the DER of the leaf certificate.
    public let certificateDigest: FixedBytes<32>

    let handle: TLSContextHandle

    /// A server of one protocol, for clients that are known by their evidence only.
    ///
    /// Reads a certificate chain, leaf first, and the leaf's unencrypted P-256 key.
    public convenience init(
        certificatePEM: [UInt8], privateKeyPEM: borrowing SecretBytes, alpn: String
    ) throws(TLSError) {
        try self.init(certificatePEM, privateKeyPEM, alpn: alpn, needsALPN: true) {
            key throws(TLSError) in
            let kind = unsafe KeyHandle.kind(of: key.pointer)
            guard kind == .p256 else {
                throw .privateKey("expected P-256, is \(kind?.description ?? "another kind")")
            }
        }
        unsafe bootgate_SSL_CTX_require_protocol(handle.pointer, handle.wireALPN.baseAddress)
    }

    /// A server of HTTP/1.1 for clients that may, but need not, speak of ALPN and prove a key of their own.
    ///
    /// Any client certificate is taken for the key that it holds, ``TLSEngine/peerKeyDigest``.
    ///
    /// - Parameter certificatePEM: the chain, leaf first.
    /// - Parameter privateKeyPEM: the leaf's unencrypted key: P-256, P-384, or RSA of 2048 bits or more.
    public convenience init(
        httpsCertificatePEM certificatePEM: [UInt8], privateKeyPEM: borrowing SecretBytes
    ) throws(TLSError) {
        try self.init(certificatePEM, privateKeyPEM, alpn: "http/1.1", needsALPN: false) {
            key throws(TLSError) in
            let bits = unsafe EVP_PKEY_get_bits(key.pointer)
            let isRSA = unsafe EVP_PKEY_is_a(key.pointer, "RSA") == 1 && bits >= 2048
            guard unsafe isRSA || KeyHandle.kind(of: key.pointer) != nil else {
                throw .privateKey("expected P-256, P-384, or RSA of 2048 bits or more")
            }
        }
        unsafe bootgate_SSL_CTX_prefer_protocol(handle.pointer, handle.wireALPN.baseAddress)
        unsafe bootgate_SSL_CTX_ask_for_certificate(handle.pointer)
    }

    private init(
        _ certificatePEM: [UInt8], _ privateKeyPEM: borrowing SecretBytes, alpn: String,
        needsALPN: Bool, checking check: (KeyHandle) throws(TLSError) -> Void
    ) throws(TLSError) {
        guard let method = unsafe TLS_server_method() else {
            throw .library(OpenSSLFault("TLS_server_method"))
        }
        handle = try unsafe TLSContextHandle(method: method, alpn: alpn, needsALPN: needsALPN)
        let context = unsafe handle.pointer

        let chain: [X509Certificate]
        do {
            chain = try X509Certificate.readAll(pem: certificatePEM)
        } catch {
            throw .certificate(error.description)
        }
        guard let leaf = chain.first else { throw .certificate("expected at least one, have none") }
        certificateDigest = OpenSSLHashing().sha256(leaf.der)
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

        guard let key = KeyHandle(pem: privateKeyPEM) else {
            throw .privateKey("expected an unencrypted private key in PEM")
        }
        try check(key)
        guard unsafe SSL_CTX_use_PrivateKey(context, key.pointer) == 1,
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
