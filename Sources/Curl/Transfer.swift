internal import CCurl

/// What every request has in common below its options.
enum Transfer {
    /// Whether libcurl is ready, with allocators that wipe; decided once for the process.
    static let isStarted = bootgate_curl_start() == CURLE_OK

    static func set(_ curl: UnsafeMutableRawPointer, _ option: CURLoption, _ text: String) {
        // libcurl copies strings.
        _ = unsafe text.withCString { unsafe bootgate_curl_set_pointer(curl, option, $0) }
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

    /// Forgets what came so far.
    func clear() {
        bytes = []
    }
}
