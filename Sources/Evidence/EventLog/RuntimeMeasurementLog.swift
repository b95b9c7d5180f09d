public import Bytes

extension EventLog {
    /// Reads the events of a TD's registers as JSON: an array of objects with `imr` (0 to 3 for RTMR0 to
    /// RTMR3), `event_type`, `digest` (hexadecimal, SHA-384), `event` (a name) and `event_payload` (hexadecimal).
    ///
    /// This is what dstack's guest agent gives out. Its own events, of type 0x08000001, are the
    /// SHA-384 of type (little-endian), `:`, name, `:` and payload; those bytes become the event's data.
    ///
    /// - Throws: an error that names the member and the number of the event that it is in.
    public init(runtimeMeasurements text: [UInt8]) throws(ParseError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.parse(
                text,
                limits: JSONReader.Limits(
                    byteCount: Self.maximumByteCount, depth: 4, values: 6 * Self.maximumEvents))
        } catch {
            throw .invalid(field: "event log", rule: "must be JSON: \(error)")
        }
        guard let elements = value.array else {
            throw .invalid(field: "event log", rule: "must be an array, is \(value.kind)")
        }
        var events: [Event] = []
        for (number, element) in elements.enumerated() {
            events.append(try Self.runtimeEvent(element, number))
        }
        try self.init(source: .confidentialComputing, banks: [.sha384], events: events)
    }

    private static let members: Set<String> = [
        "imr", "event_type", "digest", "event", "event_payload",
    ]

    private static func runtimeEvent(
        _ element: JSONValue, _ number: Int
    ) throws(ParseError) -> Event {
        guard let members = element.members, Set(members.map(\.name)) == Self.members else {
            throw .invalid(
                field: "event \(number)",
                rule: "must be an object of imr, event_type, digest, event and event_payload")
        }
        guard let register = element["imr"]?.integer, (0...3).contains(register) else {
            throw .invalid(field: "imr of event \(number)", rule: "must be 0 to 3")
        }
        guard let type = element["event_type"]?.integer.flatMap(UInt32.init(exactly:)) else {
            throw .invalid(
                field: "event_type of event \(number)", rule: "must be a number of 32 bits")
        }
        guard let digest = element["digest"]?.string.flatMap({ Hex.decode($0) }),
            digest.count == HashAlgorithm.sha384.size
        else {
            throw .invalid(
                field: "digest of event \(number)", rule: "must be 96 hexadecimal digits")
        }
        guard let name = element["event"]?.string,
            let payload = element["event_payload"]?.string.flatMap({ Hex.decode($0) })
        else {
            throw .invalid(
                field: "event_payload of event \(number)", rule: "must be hexadecimal digits")
        }
        return Event(
            register: register + 1, type: EventType(rawValue: type),
            digests: [Digest(.sha384, digest)], data: data(type, name, payload))
    }

    private static func data(_ type: UInt32, _ name: String, _ payload: [UInt8]) -> [UInt8] {
        guard EventType(rawValue: type) == .runtime else { return payload }
        var writer = ByteWriter()
        writer.littleEndian(type)
        writer.raw(":\(name):".utf8)
        writer.raw(payload)
        return writer.bytes
    }
}

extension EventType {
    /// An event of dstack's own, in RTMR3.
    static let runtime = EventType(rawValue: 0x0800_0001)
}
