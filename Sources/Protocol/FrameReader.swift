/// Cuts a stream into frames, whatever the chunks it arrives in.
///
/// A header is judged before a byte of its body is kept: what a peer can make us hold is bounded by
/// the types that the state allows.
public struct FrameReader: Sendable {
    private var header: [UInt8] = []
    private var body: [UInt8] = []
    private var announced: (type: MessageType, length: Int)?

    /// Starts between two frames.
    public init() {}

    /// How many bytes of an unfinished frame are held.
    public var buffered: Int { header.count + body.count }

    /// Takes bytes off the front of `input` until a frame is whole or nothing is left.
    ///
    /// - Parameter allowed: the types that may begin here. With none, any byte is out of turn.
    public mutating func next(
        from input: inout ArraySlice<UInt8>, allowed: Set<MessageType>
    ) throws(SessionError) -> Frame? {
        guard !input.isEmpty else { return nil }
        guard !allowed.isEmpty else { throw .bytesOutOfTurn(count: input.count) }
        if announced == nil {
            Self.move(from: &input, to: &header, until: Frame.headerLength)
            guard header.count == Frame.headerLength else { return nil }
            announced = try Self.judge(header, allowed)
        }
        guard let (type, length) = announced else { return nil }
        Self.move(from: &input, to: &body, until: length)
        guard body.count == length else { return nil }
        defer { self = FrameReader() }
        return Frame(type: type, body: body)
    }

    private static func judge(
        _ header: [UInt8], _ allowed: Set<MessageType>
    ) throws(SessionError) -> (type: MessageType, length: Int) {
        guard header[0] == Frame.version else { throw .wrongVersion(header[0]) }
        guard let type = MessageType(rawValue: header[1]) else { throw .unknownType(header[1]) }
        guard allowed.contains(type) else { throw .unexpectedMessage(type) }
        let length = header[2...].reduce(0) { $0 << 8 | Int($1) }
        guard length <= type.maximumBodyLength else {
            throw .bodyTooLong(type, length: length, maximum: type.maximumBodyLength)
        }
        return (type, length)
    }

    private static func move(
        from input: inout ArraySlice<UInt8>, to buffer: inout [UInt8], until count: Int
    ) {
        let taken = input.prefix(count - buffer.count)
        buffer.append(contentsOf: taken)
        input.removeFirst(taken.count)
    }
}
