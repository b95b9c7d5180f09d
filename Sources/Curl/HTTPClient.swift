public import Bytes
internal import CCurl
import Glibc

/// One request at a time to an HTTP server on a Unix socket, each on a connection of its own.
///
/// Nothing is taken from the environment: no proxy, no cookies, no redirects.
public struct HTTPClient: Sendable {
    /// A method of RFC 9110.
    public enum Method: String, Sendable {
        /// Reads.
        case get = "GET"
        /// Creates or replaces.
        case put = "PUT"
        /// Acts.
        case post = "POST"
        /// Removes.
        case delete = "DELETE"
    }

    /// What came back.
    public struct Answer: Equatable, Sendable {
        /// The status code.
        public let status: Int
        /// The body.
        public let body: [UInt8]
    }

    /// Path of the socket.
    public let socket: String
    /// How long a request may take altogether, in milliseconds.
    public let timeout: Int
    /// The longest body that is read, in bytes.
    public let maximumAnswer: Int

    /// Requests to the server that listens at `socket`.
    public init(socket: String, timeout: Int = 30_000, maximumAnswer: Int = 16 << 20) {
        self.socket = socket
        self.timeout = timeout
        self.maximumAnswer = maximumAnswer
    }

    /// Sends one request and waits for its answer, whatever its status is.
    ///
    /// - Parameters:
    ///   - target: Path and query, percent-encoded.
    ///   - json: The body; empty for none. libcurl's copies of it are wiped.
    public func send(
        _ method: Method, _ target: String, json: borrowing SecretBytes
    ) throws(HTTPFault) -> Answer {
        // A secret keeps its address, and `json` outlives the transfer.
        let body = unsafe json.withBytes { unsafe $0 }
        return try unsafe send(method, target, body, type: "application/json")
    }

    /// Sends one request whose body is large and no secret.
    public func send(
        _ method: Method, _ target: String, body: [UInt8], type: String
    ) throws(HTTPFault) -> Answer {
        let result: Result<Answer, HTTPFault> = unsafe body.withUnsafeBytes { bytes in
            do throws(HTTPFault) {
                return .success(try unsafe send(method, target, bytes, type: type))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func send(
        _ method: Method, _ target: String, _ content: UnsafeRawBufferPointer, type: String
    ) throws(HTTPFault) -> Answer {
        guard Transfer.isStarted, let curl = unsafe curl_easy_init() else {
            throw .failed(reason: "libcurl does not start")
        }
        defer { unsafe curl_easy_cleanup(curl) }
        let answer = BoundedBytes(limit: maximumAnswer)
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { unsafe curl_slist_free_all(headers) }
        // `Expect` would make libcurl wait for a server that does not know it.
        for header in ["Content-Type: \(type)", "Accept: application/json", "Expect:"] {
            unsafe headers = curl_slist_append(headers, header)
        }
        unsafe Transfer.set(curl, CURLOPT_URL, "http://localhost" + target)
        unsafe Transfer.set(curl, CURLOPT_UNIX_SOCKET_PATH, socket)
        unsafe Transfer.set(curl, CURLOPT_PROTOCOLS_STR, "http")
        unsafe Transfer.set(curl, CURLOPT_PROXY, "")
        unsafe Transfer.set(curl, CURLOPT_CUSTOMREQUEST, method.rawValue)
        unsafe bootgate_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        unsafe bootgate_curl_set_long(curl, CURLOPT_TIMEOUT_MS, timeout)
        unsafe bootgate_curl_set_pointer(curl, CURLOPT_HTTPHEADER, headers)
        unsafe bootgate_curl_set_write(
            curl, receiveBody, Unmanaged.passUnretained(answer).toOpaque())
        if unsafe !content.isEmpty {
            unsafe bootgate_curl_set_long(curl, CURLOPT_POSTFIELDSIZE, content.count)
            // Not copied here.
            unsafe bootgate_curl_set_pointer(curl, CURLOPT_POSTFIELDS, content.baseAddress)
        }
        let code = unsafe curl_easy_perform(curl)
        // Keeps `answer` alive until libcurl no longer writes to it.
        let body = withExtendedLifetime(answer) { answer.bytes }
        guard code == CURLE_OK else { throw unsafe fault(code, curl, answer) }
        var status = 0
        unsafe bootgate_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        return Answer(status: status, body: body)
    }

    /// Sends a request without a body.
    public func send(_ method: Method, _ target: String) throws(HTTPFault) -> Answer {
        try send(method, target, json: unsafe SecretBytes(count: 0) { _ in })
    }

    /// Sends a request whose body is no secret.
    public func send(
        _ method: Method, _ target: String, json: [UInt8]
    ) throws(HTTPFault) -> Answer {
        try send(method, target, json: SecretBytes(copying: unsafe json.span.bytes))
    }

    private func fault(
        _ code: CURLcode, _ curl: UnsafeMutableRawPointer, _ answer: BoundedBytes
    ) -> HTTPFault {
        switch code {
        case CURLE_COULDNT_CONNECT:
            var number = 0
            unsafe bootgate_curl_get_long(curl, CURLINFO_OS_ERRNO, &number)
            let errno = Int32(truncatingIfNeeded: number)
            return .unreachable(errno: errno, reason: unsafe String(cString: strerror(errno)))
        case CURLE_OPERATION_TIMEDOUT:
            return .timedOut(milliseconds: timeout)
        case CURLE_WRITE_ERROR where answer.isTooLong:
            return .answerTooLong(limit: maximumAnswer)
        default:
            return .failed(reason: unsafe String(cString: curl_easy_strerror(code)))
        }
    }
}
