public import Bytes

extension EventLog {
    /// Reads a whole log: TCG_PCR_EVENT (SHA-1) or, after a Spec ID Event03, TCG_PCR_EVENT2.
    ///
    /// All integers are little-endian. Nothing may follow the last event of a TPM's log. A TD's log is
    /// the memory that the CCEL table names, so there the rest of the memory follows: bytes that are
    /// all 0xFF, as firmware fills it, or all zero.
    ///
    /// - Throws: an error that names the field, and the number of the event that it is in.
    public init(parsing bytes: [UInt8], from source: Source = .tpm) throws(ParseError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "event log", length: bytes.count, minimum: 1,
                maximum: Self.maximumByteCount)
        }
        var reader = unsafe ByteReader(bytes.span.bytes)
        let first = try Self.event(&reader, number: 0)
        if let description = try SpecIdentifier(first) {
            let filling = Self.filling(bytes, source)
            var events: [Event] = []
            while bytes.count - reader.remaining < filling {
                guard events.count < Self.maximumEvents else { throw Self.tooMany }
                events.append(
                    try Self.agileEvent(&reader, description, number: events.count + 1))
            }
            try self.init(source: source, banks: description.banks, events: events)
        } else {
            guard source == .tpm else {
                throw .invalid(field: "event 0", rule: "must be a Spec ID Event03")
            }
            var events = [first]
            while reader.remaining > 0 {
                guard events.count < Self.maximumEvents else { throw Self.tooMany }
                events.append(try Self.event(&reader, number: events.count))
            }
            try self.init(source: source, banks: [.sha1], events: events)
        }
    }

    private static let tooMany = ParseError.invalid(
        field: "event log", rule: "has at most \(maximumEvents) events")

    /// Where the filling behind a TD's events starts at the earliest; the byte count where there is none.
    private static func filling(_ bytes: [UInt8], _ source: Source) -> Int {
        guard source == .confidentialComputing, let last = bytes.last, [0x00, 0xff].contains(last)
        else { return bytes.count }
        return bytes.lastIndex { $0 != last }.map { $0 + 1 } ?? 0
    }

    /// TCG_PCR_EVENT (PFP, section 10.2.1).
    private static func event(
        _ reader: inout ByteReader, number: Int
    ) throws(ParseError) -> Event {
        let register = try reader.littleEndian("PCRIndex of event \(number)", as: UInt32.self)
        let type = try reader.littleEndian("EventType of event \(number)", as: UInt32.self)
        let digest = try reader.bytes("Digest of event \(number)", count: 20)
        return Event(
            register: Int(register), type: EventType(rawValue: type),
            digests: [Digest(.sha1, digest)], data: try data(&reader, number))
    }

    /// TCG_PCR_EVENT2 (PFP, section 10.2.2).
    private static func agileEvent(
        _ reader: inout ByteReader, _ description: SpecIdentifier, number: Int
    ) throws(ParseError) -> Event {
        let register = try reader.littleEndian("PCRIndex of event \(number)", as: UInt32.self)
        let type = try reader.littleEndian("EventType of event \(number)", as: UInt32.self)
        let count = try reader.littleEndian("Digests.count of event \(number)", as: UInt32.self)
        guard count <= description.sizes.count else {
            throw .lengthOutOfBounds(
                field: "Digests.count of event \(number)", length: Int(count), minimum: 0,
                maximum: description.sizes.count)
        }
        var seen: Set<UInt16> = []
        var digests: [Digest] = []
        for _ in 0..<count {
            let field = "Digests of event \(number)"
            let identifier = try reader.littleEndian(field, as: UInt16.self)
            guard let size = description.sizes[identifier] else {
                throw .invalid(field: field, rule: "must be of hash functions that event 0 names")
            }
            guard seen.insert(identifier).inserted else {
                throw .invalid(field: field, rule: "must be one for each hash function")
            }
            let bytes = try reader.bytes(field, count: size)
            if let algorithm = HashAlgorithm(tpmIdentifier: identifier) {
                digests.append(Digest(algorithm, bytes))
            }
        }
        return Event(
            register: Int(register), type: EventType(rawValue: type), digests: digests,
            data: try data(&reader, number))
    }

    private static func data(
        _ reader: inout ByteReader, _ number: Int
    ) throws(ParseError) -> [UInt8] {
        let size = try reader.littleEndian("EventSize of event \(number)", as: UInt32.self)
        return try reader.bytes("Event of event \(number)", count: Int(size))
    }
}

/// TCG_EfiSpecIDEvent (PFP, section 10.4.5.1): which hash functions the log has, and their sizes.
struct SpecIdentifier {
    /// Bytes of a digest, by TPM_ALG_ID.
    let sizes: [UInt16: Int]
    /// Those of them that are known, in order.
    let banks: [HashAlgorithm]

    /// Nil where `event` is none, so that the log is of the SHA-1 form.
    init?(_ event: EventLog.Event) throws(ParseError) {
        let signature = Array("Spec ID Event03".utf8) + [0]
        guard event.type == .noAction, event.data.starts(with: signature) else { return nil }
        let parts = try event.data.parse("TCG_EfiSpecIDEvent") { reader throws(ParseError) in
            try reader.skip("signature", count: 16)
            try reader.skip("platformClass", count: 4)
            try reader.skip("specVersionMinor", count: 1)
            let major = try reader.uint8("specVersionMajor")
            guard major == 2 else {
                throw .invalid(field: "specVersionMajor", rule: "is \(major), must be 2")
            }
            try reader.skip("specErrata", count: 1)
            try reader.skip("uintnSize", count: 1)
            let parts = try Self.algorithms(&reader)
            let vendorByteCount = try reader.uint8("vendorInfoSize")
            try reader.skip("vendorInfo", count: Int(vendorByteCount))
            return parts
        }
        (sizes, banks) = parts
    }

    private static func algorithms(
        _ reader: inout ByteReader
    ) throws(ParseError) -> (sizes: [UInt16: Int], banks: [HashAlgorithm]) {
        let count = try reader.littleEndian("numberOfAlgorithms", as: UInt32.self)
        guard (1...EventLog.maximumBanks).contains(Int(count)) else {
            throw .lengthOutOfBounds(
                field: "numberOfAlgorithms", length: Int(count), minimum: 1,
                maximum: EventLog.maximumBanks)
        }
        var sizes: [UInt16: Int] = [:]
        var banks: [HashAlgorithm] = []
        for _ in 0..<count {
            let identifier = try reader.littleEndian("algorithmId", as: UInt16.self)
            let size = Int(try reader.littleEndian("digestSize", as: UInt16.self))
            guard sizes.updateValue(size, forKey: identifier) == nil else {
                throw .invalid(field: "algorithmId", rule: "must stand once")
            }
            guard let algorithm = HashAlgorithm(tpmIdentifier: identifier) else { continue }
            guard size == algorithm.size else {
                throw .lengthOutOfBounds(
                    field: "digestSize", length: size, minimum: algorithm.size,
                    maximum: algorithm.size)
            }
            banks.append(algorithm)
        }
        return (sizes, banks)
    }
}
