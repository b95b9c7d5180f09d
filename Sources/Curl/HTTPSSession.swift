public import Bytes
internal import CCurl

/// Requests to one HTTPS server, one after the other, over a connection that is kept for as long as the
/// server keeps it. TLS 1.3 unless said otherwise, HTTP/1.1, no redirects, no cookies.
///
/// A proxy of the environment's (`https_proxy`, `no_proxy`) is used as a tunnel; TLS reaches through it.
@safe public final class HTTPSSession {
    /// Whose certificates are believed.
    public enum Trust: Sendable, Equatable {
        /// The system's authorities, for the name in the URL.
        case system
        /// Those of a PEM file, for the name in the URL.
        case authorities(String)
        /// Any certificate: the caller looks at it by itself.
        case none
    }

    /// The oldest version of TLS that is spoken.
    public enum OldestTLS: Sendable {
        /// For servers that are not ours, of which only the certificate is looked at.
        case version12
        /// RFC 8446.
        case version13
    }

    /// Who this client says it is; nothing unless set.
    public struct Login: Sendable, Equatable {
        /// PEM file of the client's certificate.
        public var certificate: String?
        /// PEM file of its unencrypted key.
        public var key: String?

        /// Nobody.
        public init() {}
    }

    /// What came back, whatever its status is.
    public struct Answer: Sendable, Equatable {
        /// The status code.
        public let status: Int
        /// The body; of a download that went well, nothing.
        public let body: [UInt8]
    }

    /// The longest body of an answer that refuses, in bytes.
    public static let maximumFault = 64 << 10

    private static let connectMilliseconds = 15_000
    /// A transfer that moves less than a byte a second for this long is given up.
    private static let idleSeconds = 120

    private let curl: UnsafeMutableRawPointer
    private let origin: String
    private let oldest: OldestTLS
    private let trust: Trust
    private let login: Login
    /// What stands behind `Bearer`, with a zero byte at its end; empty for none.
    private let token: SecretBytes
    private let observe: (OpaquePointer) -> Bool
    private let words: UnsafeMutablePointer<CChar>

    /// Connects with the first request.
    ///
    /// - Parameters:
    ///   - origin: `https://HOST:PORT`, nothing behind it.
    ///   - token: what requests that show it send as `Authorization: Bearer`; empty for none.
    ///   - observe: gets OpenSSL's `SSL *` of the connection that a request is about to go over; it must not
    ///     be kept. False sends nothing and ends the request, with ``HTTPFault/cancelled``.
    public init(
        origin: String, oldest: OldestTLS = .version13, trust: Trust, login: Login = Login(),
        token: borrowing SecretBytes, observe: @escaping (OpaquePointer) -> Bool
    ) throws(HTTPFault) {
        guard Transfer.isStarted, let curl = unsafe curl_easy_init() else {
            throw .failed(reason: "libcurl does not start")
        }
        unsafe self.curl = curl
        self.origin = origin
        self.oldest = oldest
        self.trust = trust
        self.login = login
        self.token = Self.terminated(token)
        unsafe self.observe = observe
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        unsafe curl_easy_cleanup(curl)
        unsafe words.deallocate()
    }

    /// Sends one request and waits for its answer.
    ///
    /// - Parameters:
    ///   - target: Path and query, percent-encoded.
    ///   - body: JSON; empty for none.
    ///   - showsToken: whether the token goes with it; a request that changes nothing needs none.
    ///   - limit: the longest answer, in bytes.
    public func send(
        _ method: HTTPClient.Method, _ target: String, body: [UInt8] = [],
        showsToken: Bool = false, atMost limit: Int
    ) throws(HTTPFault) -> Answer {
        let collected = BoundedBytes(limit: limit)
        let status = try perform(method, target, body, limit, showsToken: showsToken) {
            collected.append($0)
        }
        return Answer(status: status.code, body: status.fault ?? collected.bytes)
    }

    /// Gets a document and hands it to `sink` part by part; what refuses is the answer's body instead.
    ///
    /// - Parameter sink: false ends the transfer, with ``HTTPFault/cancelled``.
    public func download(
        _ target: String, atMost limit: Int, into sink: @escaping ([UInt8]) -> Bool
    ) throws(HTTPFault) -> Answer {
        var count = 0
        var isStopped = false
        do throws(HTTPFault) {
            let status = try perform(.get, target, [], limit) { part in
                count += part.count
                guard count <= limit else { return false }
                isStopped = !sink(part)
                return !isStopped
            }
            return Answer(status: status.code, body: status.fault ?? [])
        } catch {
            if isStopped { throw .cancelled }
            throw error
        }
    }

    /// Connects, lets the connection be observed, and sends nothing.
    public func connect() throws(HTTPFault) {
        do throws(HTTPFault) {
            _ = try perform(.get, "/", [], 0, sendsNothing: true) { _ in false }
        } catch .cancelled {
            return
        }
    }

    private func perform(
        _ method: HTTPClient.Method, _ target: String, _ body: [UInt8], _ limit: Int,
        showsToken: Bool = false, sendsNothing: Bool = false,
        _ sink: @escaping ([UInt8]) -> Bool
    ) throws(HTTPFault) -> (code: Int, fault: [UInt8]?) {
        unsafe curl_easy_reset(curl)
        unsafe words.pointee = 0
        let exchange = unsafe Exchange(
            curl, sendsNothing: sendsNothing, sink: sink, observe: observe)
        let context = unsafe Unmanaged.passUnretained(exchange).toOpaque()
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { unsafe curl_slist_free_all(headers) }
        for header in ["Content-Type: application/json", "Expect:"] {
            unsafe headers = curl_slist_append(headers, header)
        }
        configure(method, target)
        if showsToken { addToken() }
        unsafe bootgate_curl_set_pointer(curl, CURLOPT_HTTPHEADER, headers)
        unsafe bootgate_curl_set_write(curl, receivePart, context)
        unsafe bootgate_curl_set_prereq(curl, lookAtConnection, context)
        let code = unsafe body.withUnsafeBytes { content in
            if method == .post || method == .put {
                unsafe bootgate_curl_set_long(curl, CURLOPT_POSTFIELDSIZE, content.count)
                // Not copied here; without a body, an address all the same.
                unsafe bootgate_curl_set_pointer(
                    curl, CURLOPT_POSTFIELDS, content.baseAddress ?? UnsafeRawPointer(words))
            }
            return unsafe curl_easy_perform(curl)
        }
        return try withExtendedLifetime(exchange) { () throws(HTTPFault) in
            if code == CURLE_WRITE_ERROR { throw .answerTooLong(limit: limit) }
            guard code == CURLE_OK else {
                throw unsafe Transfer.fault(
                    code, curl, milliseconds: Self.idleSeconds * 1000,
                    words: String(cString: words))
            }
            return (exchange.status, exchange.isRefusal ? exchange.refusal.bytes : nil)
        }
    }

    private func configure(_ method: HTTPClient.Method, _ target: String) {
        let texts: [(CURLoption, String?)] = [
            (CURLOPT_URL, origin + target), (CURLOPT_PROTOCOLS_STR, "https"),
            (CURLOPT_USERAGENT, "bootgate"), (CURLOPT_CUSTOMREQUEST, method.rawValue),
            (CURLOPT_SSLCERT, login.certificate), (CURLOPT_SSLKEY, login.key),
        ]
        for (option, text) in texts {
            if let text { unsafe Transfer.set(curl, option, text) }
        }
        if case .authorities(let path) = trust {
            unsafe Transfer.set(curl, CURLOPT_CAINFO, path)
            unsafe bootgate_curl_set_pointer(curl, CURLOPT_CAPATH, nil)
        }
        let isBelieving = trust == .none
        let version =
            switch oldest {
            case .version12: CURL_SSLVERSION_TLSv1_2
            case .version13: CURL_SSLVERSION_TLSv1_3
            }
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_MAXCONNECTS, 1),
            (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
            (CURLOPT_SSLVERSION, Int(version)),
            // A session that was resumed would show no certificate.
            (CURLOPT_SSL_SESSIONID_CACHE, 0),
            (CURLOPT_SSL_VERIFYPEER, isBelieving ? 0 : 1),
            (CURLOPT_SSL_VERIFYHOST, isBelieving ? 0 : 2),
            (CURLOPT_CONNECTTIMEOUT_MS, Self.connectMilliseconds),
            (CURLOPT_LOW_SPEED_TIME, Self.idleSeconds), (CURLOPT_LOW_SPEED_LIMIT, 1),
        ]
        for (option, value) in numbers {
            unsafe bootgate_curl_set_long(curl, option, value)
        }
        unsafe bootgate_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, words)
    }

    private func addToken() {
        guard token.count > 0 else { return }
        unsafe bootgate_curl_set_long(curl, CURLOPT_HTTPAUTH, bootgate_curl_auth_bearer())
        unsafe token.withBytes {
            _ = unsafe bootgate_curl_set_pointer(curl, CURLOPT_XOAUTH2_BEARER, $0.baseAddress)
        }
    }

    private static func terminated(_ token: borrowing SecretBytes) -> SecretBytes {
        guard token.count > 0 else { return unsafe SecretBytes(count: 0) { _ in } }
        return unsafe token.withBytes { bytes in
            unsafe SecretBytes(count: bytes.count + 1) { unsafe $0.copyMemory(from: bytes) }
        }
    }
}

/// What libcurl's callbacks need to know of one request.
@safe private final class Exchange {
    private let curl: UnsafeMutableRawPointer
    let sendsNothing: Bool
    private let sink: ([UInt8]) -> Bool
    private let observe: (OpaquePointer) -> Bool
    let refusal = BoundedBytes(limit: HTTPSSession.maximumFault)

    init(
        _ curl: UnsafeMutableRawPointer, sendsNothing: Bool,
        sink: @escaping ([UInt8]) -> Bool, observe: @escaping (OpaquePointer) -> Bool
    ) {
        unsafe self.curl = curl
        self.sendsNothing = sendsNothing
        self.sink = sink
        unsafe self.observe = observe
    }

    var status: Int {
        var status = 0
        unsafe bootgate_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        return status
    }

    var isRefusal: Bool { !(200..<300).contains(status) }

    func take(_ part: UnsafeRawBufferPointer) -> Bool {
        isRefusal ? unsafe refusal.append(part) : unsafe sink(Array(part))
    }

    /// Whether the request may go over this connection.
    func look() -> Bool {
        guard let ssl = unsafe bootgate_curl_ssl(curl) else { return false }
        return unsafe observe(OpaquePointer(ssl)) && !sendsNothing
    }
}

private func receivePart(
    data: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    let part = unsafe UnsafeRawBufferPointer(start: data, count: size * count)
    return unsafe exchange.take(part) ? size * count : 0
}

private func lookAtConnection(
    context: UnsafeMutableRawPointer?, peer: UnsafeMutablePointer<CChar>?,
    own: UnsafeMutablePointer<CChar>?, peerPort: Int32, ownPort: Int32
) -> Int32 {
    guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    return exchange.look() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
