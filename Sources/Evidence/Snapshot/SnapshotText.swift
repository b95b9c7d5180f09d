import Bytes

/// The text of a snapshot as far as it has come, and the place in it up to which it was read.
///
/// Small parts are read by this; what is rare in it is left to ``JSONReader``, which is as strict.
struct SnapshotText: Sendable {
    /// Why something could not be read.
    enum Interruption: Error {
        /// The text so far ends within it.
        case needsMore
        /// A rule that it breaks.
        case wrong(String)
    }

    private(set) var bytes: [UInt8] = []
    var offset = 0

    var remaining: Int { bytes.count - offset }

    mutating func append(_ more: ArraySlice<UInt8>) {
        if offset == bytes.count {
            bytes.removeAll(keepingCapacity: true)
        } else if offset > 0 {
            bytes.removeFirst(offset)
        }
        offset = 0
        bytes.append(contentsOf: more)
    }

    /// Passes over white space; false where nothing else has come yet.
    mutating func skipSpace() -> Bool {
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return true }
            offset += 1
        }
        return false
    }

    /// The next byte that is no white space.
    mutating func peek() throws(Interruption) -> UInt8 {
        guard skipSpace() else { throw .needsMore }
        return bytes[offset]
    }

    /// Passes over `byte` if it is the next.
    mutating func accept(_ byte: UInt8) throws(Interruption) -> Bool {
        guard try peek() == byte else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ byte: UInt8, _ what: String) throws(Interruption) {
        guard try accept(byte) else { throw .wrong("must have \(what) here") }
    }

    /// Appends the text of a string to `target`; more than `limit` bytes of it are refused.
    mutating func string(into target: inout [UInt8], atMost limit: Int) throws(Interruption) {
        try expect(UInt8(ascii: "\""), "a string")
        let start = offset
        var isPlain = true
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                // Whatever is escaped does not end the string.
                offset += 1
            }
            isPlain = isPlain && byte &- 0x20 <= 0x5e && byte != UInt8(ascii: "\\")
            offset += 1
            // An escape takes six bytes for one at most.
            guard offset - start <= (isPlain ? limit : 6 * limit) else {
                throw .wrong("must be a string of at most \(limit) bytes")
            }
        }
        guard offset < bytes.count else { throw .needsMore }
        let end = offset
        offset += 1
        let count = target.count
        if isPlain {
            target.append(contentsOf: bytes[start..<end])
        } else {
            guard let text = try Self.json(Array(bytes[start - 1...end])).string else {
                throw .wrong("must be a string")
            }
            target.append(contentsOf: text.utf8)
        }
        guard target.count - count <= limit else {
            throw .wrong("must be a string of at most \(limit) bytes")
        }
    }

    /// Appends the digest that a string of hexadecimal digits stands for to `target`.
    mutating func digest(into target: inout [UInt8]) throws(Interruption) {
        try expect(UInt8(ascii: "\""), "a digest")
        let start = offset
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\""), offset - start <= 128 {
            offset += 1
        }
        guard offset < bytes.count else { throw .needsMore }
        let count = (offset - start) / 2
        let first = target.count
        if HashAlgorithm.allCases.contains(where: { $0.size == count }) {
            target.append(contentsOf: repeatElement(0, count: count))
            if bytes.decodeHex(start..<offset, into: &target, at: first) {
                offset += 1
                return
            }
        }
        throw .wrong("must have a SHA-1 or SHA-2 digest in hexadecimal digits")
    }

    /// One value of any kind, as it stands in the text; more than `limit` bytes are refused.
    mutating func value(atMost limit: Int) throws(Interruption) -> ArraySlice<UInt8> {
        _ = try peek()
        let start = offset
        var depth = 0
        var isInString = false
        while offset < bytes.count {
            guard offset - start <= limit else { throw .wrong("has at most \(limit) bytes") }
            let byte = bytes[offset]
            if isInString {
                if byte == UInt8(ascii: "\\") { offset += 1 }
                if byte == UInt8(ascii: "\"") { isInString = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return bytes[start..<offset] }
                    depth -= 1
                case UInt8(ascii: ","), 0x20, 0x0a, 0x0d, 0x09:
                    if depth == 0 { return bytes[start..<offset] }
                default: break
                }
            }
            offset += 1
            if depth == 0, !isInString, byte == UInt8(ascii: "\"") || byte & 0xdf == 0x5d {
                return bytes[start..<min(offset, bytes.count)]
            }
        }
        throw .needsMore
    }

    /// Reads one value that is whole.
    static func json(_ text: [UInt8]) throws(Interruption) -> JSONValue {
        do throws(JSONError) {
            return try JSONReader.parse(
                text, limits: JSONReader.Limits(byteCount: text.count, depth: 8, values: 1 << 20))
        } catch {
            throw .wrong("is no JSON: \(error.reason)")
        }
    }
}
