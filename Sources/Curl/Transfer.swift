internal import CCurl
import Glibc

/// What every request has in common below its options.
enum Transfer {
    /// Whether libcurl is ready, with allocators that wipe; decided once for the process.
    static let isStarted = bootgate_curl_start() == CURLE_OK

    static func set(_ curl: UnsafeMutableRawPointer, _ option: CURLoption, _ text: String) {
        // libcurl copies strings.
        _ = unsafe text.withCString { unsafe bootgate_curl_set_pointer(curl, option, $0) }
    }

    /// What libcurl's code means, where the caller has no better word for it.
    ///
    /// - Parameter words: what libcurl says of this very transfer; empty for its general words.
    static func fault(
        _ code: CURLcode, _ curl: UnsafeMutableRawPointer, milliseconds: Int, words: String = ""
    ) -> HTTPFault {
        let words = words.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : words
        switch code {
        case CURLE_COULDNT_CONNECT:
            var number = 0
            unsafe bootgate_curl_get_long(curl, CURLINFO_OS_ERRNO, &number)
            let errno = Int32(truncatingIfNeeded: number)
            return .unreachable(
                errno: errno, reason: errno == 0 ? words : unsafe String(cString: strerror(errno)))
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return .nameNotFound(reason: words)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut(milliseconds: milliseconds)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR: return .truncated
        case CURLE_ABORTED_BY_CALLBACK: return .cancelled
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE:
            return .untrusted(reason: words)
        default: return .failed(reason: words)
        }
    }
}

// A function and no closure: a closure literal given to C would inherit its caller's isolation.
func receiveBody(
    data: UnsafeMutablePointer<CChar>?, size: Int, count: Int, context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let bytes = unsafe Unmanaged<BoundedBytes>.fromOpaque(context).takeUnretainedValue()
    let more = unsafe UnsafeRawBufferPointer(start: data, count: size * count)
    return unsafe bytes.append(more) ? size * count : 0
}

/// Collects what arrives up to a limit.
final class BoundedBytes {
    private let limit: Int
    private(set) var bytes: [UInt8] = []
    private(set) var isTooLong = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether `more` still fits.
    func append(_ more: UnsafeRawBufferPointer) -> Bool {
        isTooLong = isTooLong || bytes.count + more.count > limit
        if !isTooLong { unsafe bytes.append(contentsOf: more) }
        return !isTooLong
    }

    /// Whether `more` still fits.
    func append(_ more: [UInt8]) -> Bool {
        unsafe more.withUnsafeBytes { unsafe append($0) }
    }

    /// Forgets what came so far.
    func clear() {
        bytes = []
    }
}
