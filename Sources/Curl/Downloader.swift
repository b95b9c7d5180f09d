internal import CCurl
import Glibc
import Synchronization

/// Gets documents from web servers by HTTPS or HTTP, one request on a connection of its own.
///
/// Neither cookies nor credentials are sent, and a redirect is an answer like any other: it is for the
/// caller to refuse. Any number of threads may use one downloader; each call blocks its own.
public struct Downloader: Sendable {
    /// What a request may take.
    public struct Limits: Sendable, Equatable {
        /// Until the connection stands, in milliseconds.
        public var connect = 15_000
        /// Altogether, in milliseconds.
        public var total = 60_000
        /// A transfer below ``slowBytes`` a second for this long is given up; in seconds.
        public var slowSeconds = 20
        /// Bytes a second.
        public var slowBytes = 16
        /// The longest body, in bytes.
        public var body = 4 << 20
        /// The longest headers altogether, in bytes.
        public var headers = 64 << 10

        /// The limits that fit a vendor's service.
        public init() {}
    }

    /// How a server is reached.
    public enum Proxy: Sendable, Equatable {
        /// As the variables `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` say.
        case environment
        /// Directly, whatever the environment says.
        case none
        /// By the proxy of this URL, such as `http://proxy.example:3128`.
        case url(String)
    }

    /// What came back, whatever its status is.
    public struct Answer: Sendable, Equatable {
        /// The status code.
        public let status: Int
        /// The headers in the order they came, names in lower case.
        public let headers: [Header]
        /// The body.
        public let body: [UInt8]

        /// Puts an answer together.
        public init(status: Int, headers: [Header], body: [UInt8]) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// The value of the first header of that name, which must be in lower case.
        public func header(_ name: String) -> String? {
            headers.first { $0.name == name }?.value
        }
    }

    /// One header of an answer.
    public struct Header: Sendable, Equatable {
        /// Its name in lower case.
        public let name: String
        /// Its value without surrounding white space.
        public let value: String

        /// Puts a header together.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Ends requests from another thread; a request notices it within a second.
    public final class Cancellation: Sendable {
        private let flag = Atomic(false)

        /// Nothing is called off yet.
        public init() {}

        /// Calls every request off that was, or will be, started with this.
        public func cancel() { flag.store(true, ordering: .relaxed) }

        /// Whether ``cancel()`` was called.
        public var isCancelled: Bool { flag.load(ordering: .relaxed) }
    }

    /// What a request may take.
    public let limits: Limits
    /// How a server is reached.
    public let proxy: Proxy
    /// PEM file of the certificates that servers are believed by; nil: the system's.
    public let authorities: String?

    /// Keeps what every request needs.
    public init(
        limits: Limits = Limits(), proxy: Proxy = .environment, authorities: String? = nil
    ) {
        self.limits = limits
        self.proxy = proxy
        self.authorities = authorities
    }

    /// Gets the document at `url`, which must begin with `https://` or `http://`.
    public func get(
        _ url: String, cancellation: Cancellation = Cancellation()
    ) throws(HTTPFault) -> Answer {
        guard Transfer.isStarted, let curl = unsafe curl_easy_init() else {
            throw .failed(reason: "libcurl does not start")
        }
        defer { unsafe curl_easy_cleanup(curl) }
        let body = BoundedBytes(limit: limits.body)
        let headers = BoundedBytes(limit: limits.headers)
        unsafe configure(curl, url)
        unsafe bootgate_curl_set_write(
            curl, receiveBody, Unmanaged.passUnretained(body).toOpaque())
        unsafe bootgate_curl_set_headers(
            curl, receiveHeader, Unmanaged.passUnretained(headers).toOpaque())
        unsafe bootgate_curl_set_progress(
            curl, askCancellation, Unmanaged.passUnretained(cancellation).toOpaque())
        // Keeps alive what libcurl writes to until it no longer does.
        let code = withExtendedLifetime((body, headers, cancellation)) {
            unsafe curl_easy_perform(curl)
        }
        guard code == CURLE_OK else { throw unsafe fault(code, curl, body, headers) }
        var status = 0
        unsafe bootgate_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        return Answer(status: status, headers: Self.headers(headers.bytes), body: body.bytes)
    }

    private func configure(_ curl: UnsafeMutableRawPointer, _ url: String) {
        unsafe Transfer.set(curl, CURLOPT_URL, url)
        unsafe Transfer.set(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        unsafe Transfer.set(curl, CURLOPT_USERAGENT, "bootgate")
        switch proxy {
        case .environment: break
        case .none: unsafe Transfer.set(curl, CURLOPT_PROXY, "")
        case .url(let proxy): unsafe Transfer.set(curl, CURLOPT_PROXY, proxy)
        }
        if let authorities { unsafe Transfer.set(curl, CURLOPT_CAINFO, authorities) }
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_FORBID_REUSE, 1),
            (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, limits.connect), (CURLOPT_TIMEOUT_MS, limits.total),
            (CURLOPT_LOW_SPEED_TIME, limits.slowSeconds),
            (CURLOPT_LOW_SPEED_LIMIT, limits.slowBytes), (CURLOPT_MAXFILESIZE, limits.body),
        ]
        for (option, value) in numbers {
            unsafe bootgate_curl_set_long(curl, option, value)
        }
    }

    private func fault(
        _ code: CURLcode, _ curl: UnsafeMutableRawPointer, _ body: BoundedBytes,
        _ headers: BoundedBytes
    ) -> HTTPFault {
        switch code {
        case CURLE_FILESIZE_EXCEEDED: return .answerTooLong(limit: limits.body)
        case CURLE_WRITE_ERROR where body.isTooLong: return .answerTooLong(limit: limits.body)
        case CURLE_WRITE_ERROR where headers.isTooLong:
            return .answerTooLong(limit: limits.headers)
        default: return unsafe Transfer.fault(code, curl, milliseconds: limits.total)
        }
    }

    private static func headers(_ bytes: [UInt8]) -> [Header] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            return Header(
                name: String(decoding: line[..<colon], as: UTF8.self).lowercased(),
                value: trimmed(line[(colon + 1)...]))
        }
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> String {
        let spaces: Set<UInt8> = [0x20, 0x09, 0x0d]
        let start = text.drop { spaces.contains($0) }
        let end = start.lastIndex { !spaces.contains($0) }
        return end.map { String(decoding: start[...$0], as: UTF8.self) } ?? ""
    }
}

private func receiveHeader(
    data: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let headers = unsafe Unmanaged<BoundedBytes>.fromOpaque(context).takeUnretainedValue()
    let line = unsafe UnsafeRawBufferPointer(start: data, count: size * count)
    // A status line begins an answer anew, after "100 Continue" for example.
    if unsafe line.starts(with: "HTTP/".utf8) { headers.clear() }
    return unsafe headers.append(line) ? size * count : 0
}

private func askCancellation(
    context: UnsafeMutableRawPointer?, total: curl_off_t, now: curl_off_t,
    uploadTotal: curl_off_t, uploadNow: curl_off_t
) -> Int32 {
    guard let context = unsafe context else { return 0 }
    let cancellation = unsafe Unmanaged<Downloader.Cancellation>.fromOpaque(context)
        .takeUnretainedValue()
    return cancellation.isCancelled ? 1 : 0
}
