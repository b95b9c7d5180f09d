public import Bytes

/// The verifier's request for the kernel's IMA log: all of it, or what it has not seen yet.
public struct LogWanted: Message, Equatable {
    /// LOG_WANTED.
    public static let type = MessageType.logWanted

    /// Bytes of `binary_runtime_measurements` that the verifier needs no more.
    public let offset: UInt64

    /// The rest of the log from `offset` on.
    public init(offset: UInt64) {
        self.offset = offset
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("LOG_WANTED") { reader throws(ParseError) in
            LogWanted(offset: try reader.bigEndian("offset"))
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(offset)
        return writer.bytes
    }
}

/// A stretch of the IMA log, in the order of the log.
public struct LogPart: Message, Equatable {
    /// LOG.
    public static let type = MessageType.log
    /// The longest part, in bytes.
    public static let maximumLength = 1 << 18

    /// Whether the log ends here.
    public let isLast: Bool
    /// The bytes, unchanged; entries may be cut anywhere.
    public let data: [UInt8]

    /// One stretch.
    ///
    /// - Throws: for data longer than ``maximumLength``, and for a part that neither carries nor ends
    ///   anything: a peer could send such for ever.
    public init(isLast: Bool, data: [UInt8]) throws(ParseError) {
        guard data.count <= Self.maximumLength else {
            throw .lengthOutOfBounds(
                field: "data", length: data.count, minimum: 0, maximum: Self.maximumLength)
        }
        guard isLast || !data.isEmpty else {
            throw .invalid(field: "data", rule: "expected some in a part that is not the last")
        }
        self.isLast = isLast
        self.data = data
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("LOG") { reader throws(ParseError) in
            let last = try reader.uint8("last")
            guard last <= 1 else { throw .outOfRange(field: "last", value: UInt64(last)) }
            let data = try reader.opaque("data", lengthBytes: 3, within: 0...Self.maximumLength)
            return try LogPart(isLast: last == 1, data: data)
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(isLast ? 1 : 0)
        writer.opaque(data, lengthBytes: 3)
        return writer.bytes
    }
}
