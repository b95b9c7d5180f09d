package import Bytes

/// An HTTP/1.1 answer of the metadata service, read as strictly as two paths need it.
///
/// Source: RFC 9112. A body has a Content-Length, or is chunked without trailers, or goes on until the
/// service closes.
package struct HTTPAnswer: Equatable {
    /// The longest answer that is taken, in bytes.
    static let maximumLength = 256 << 10
    private static let maximumHead = 16 << 10

    /// Of the status line, 100 to 599.
    package let status: Int
    /// Without the marks of chunks.
    package let body: [UInt8]

    /// A request that asks the service to close afterwards.
    static func request(_ method: String, _ path: String, json: String? = nil) -> [UInt8] {
        var lines = [
            "\(method) \(path) HTTP/1.1", "Host: 169.254.169.254", "Metadata: true",
            "Connection: close",
        ]
        if let json {
            lines += ["Content-Type: application/json", "Content-Length: \(json.utf8.count)"]
        }
        return Array((lines.map { $0 + "\r\n" }.joined() + "\r\n" + (json ?? "")).utf8)
    }

    /// Whether `bytes` hold a whole answer, so that nobody has to wait for the end of the connection.
    package static func isWhole(_ bytes: [UInt8]) -> Bool {
        (try? HTTPAnswer(parsing: bytes, isAtEnd: false)) != nil
    }

    /// Reads one answer.
    ///
    /// - Parameter isAtEnd: whether the service has closed, so that nothing more can come.
    package init(parsing bytes: [UInt8], isAtEnd: Bool = true) throws(ParseError) {
        guard let end = Self.endOfHead(bytes) else {
            throw .invalid(field: "head", rule: "must end within 16 KiB")
        }
        let lines = String(decoding: bytes[..<(end - 4)], as: UTF8.self)
            .split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
            (100...599).contains(status)
        else { throw .invalid(field: "status line", rule: "must be HTTP/1.x and a status") }
        var length: Int?
        var isChunked = false
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else {
                throw .invalid(field: "header", rule: "must have a colon")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "content-length":
                guard length == nil, let number = Int(value), number >= 0,
                    number <= Self.maximumLength
                else {
                    throw .invalid(field: "Content-Length", rule: "must be one number in bounds")
                }
                length = number
            case "transfer-encoding":
                guard value.lowercased() == "chunked" else {
                    throw .invalid(field: "Transfer-Encoding", rule: "must be chunked")
                }
                isChunked = true
            default: break
            }
        }
        self.status = status
        body = try Self.body(
            Array(bytes[end...]), length: length, isChunked: isChunked, isAtEnd: isAtEnd)
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        let head = bytes.prefix(maximumHead)
        guard head.count >= 4 else { return nil }
        for end in 4...head.count where head[(end - 4)..<end].elementsEqual(mark) { return end }
        return nil
    }

    private static func body(
        _ rest: [UInt8], length: Int?, isChunked: Bool, isAtEnd: Bool
    ) throws(ParseError) -> [UInt8] {
        if isChunked {
            guard length == nil else {
                throw .invalid(field: "body", rule: "must have one length")
            }
            return try dechunked(rest)
        }
        if let length {
            guard rest.count == length else {
                throw .truncated(field: "body", needed: length, available: rest.count)
            }
            return rest
        }
        guard isAtEnd else { throw .invalid(field: "body", rule: "goes on until the end") }
        return rest
    }

    private static func dechunked(_ rest: [UInt8]) throws(ParseError) -> [UInt8] {
        try rest.parse("chunked body") { reader throws(ParseError) in
            var body: [UInt8] = []
            while true {
                let size = try chunkSize(&reader)
                body += try reader.bytes("chunk", count: size)
                guard try reader.bytes("end of chunk", count: 2) == Array("\r\n".utf8) else {
                    throw .invalid(field: "chunk", rule: "must end with a line break")
                }
                if size == 0 { return body }
            }
        }
    }

    @_lifetime(reader: copy reader)
    private static func chunkSize(_ reader: inout ByteReader) throws(ParseError) -> Int {
        var size = 0
        for index in 0..<8 {
            let character = try reader.uint8("chunk size")
            if index > 0, character == UInt8(ascii: "\r") {
                guard try reader.uint8("chunk size") == UInt8(ascii: "\n") else { break }
                return size
            }
            guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { break }
            size = size << 4 | digit
            guard size <= maximumLength else { break }
        }
        throw .invalid(field: "chunk size", rule: "must be a small hexadecimal number")
    }
}
