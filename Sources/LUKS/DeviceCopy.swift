import Bytes

/// One copy of the header: binary part and JSON area, of which the checksum was right.
struct HeaderCopy {
    let binary: LUKS2BinaryHeader
    let jsonArea: [UInt8]
    let isPrimary: Bool
}

/// The start of the device, as far as it has been read; it only grows, and no byte is read twice.
struct DeviceCopy {
    typealias Fetch = (_ offset: Int, _ count: Int) throws(LUKS2Fault) -> [UInt8]

    let limit: Int
    private(set) var bytes: [UInt8] = []
    private var reachedEnd = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Reads on until `count` bytes are here, the limit is reached or the device ends.
    mutating func extend(to count: Int, _ fetch: Fetch) throws(LUKS2Fault) {
        let wanted = min(count, limit)
        while bytes.count < wanted, !reachedEnd {
            let more = try fetch(bytes.count, wanted - bytes.count)
            guard more.count <= wanted - bytes.count else {
                throw .unreadable(reason: "more bytes than were asked for")
            }
            reachedEnd = more.isEmpty
            bytes.append(contentsOf: more)
        }
    }

    /// The copy at `offset`, or why there is none.
    mutating func copy(
        at offset: Int, hashing: any Hashing, _ fetch: Fetch
    ) throws(LUKS2Fault) -> Result<HeaderCopy, ParseError> {
        // Both copies of a header of the usual size arrive with the first read.
        try extend(to: max(0x8000, offset + LUKS2BinaryHeader.byteCount), fetch)
        let binary: LUKS2BinaryHeader
        do {
            binary = try LUKS2BinaryHeader(
                parsing: slice(offset, LUKS2BinaryHeader.byteCount), at: offset)
        } catch {
            return .failure(error)
        }
        try extend(to: offset + binary.headerSize, fetch)
        let whole = slice(offset, binary.headerSize)
        guard whole.count == binary.headerSize else {
            return .failure(
                .truncated(
                    field: "JSON area", needed: binary.headerSize, available: whole.count))
        }
        guard binary.hasChecksum(of: whole, hashing: hashing) else {
            return .failure(
                .invalid(field: "csum", rule: "the checksum does not fit the header"))
        }
        let jsonArea = Array(whole[LUKS2BinaryHeader.byteCount...])
        return .success(HeaderCopy(binary: binary, jsonArea: jsonArea, isPrimary: offset == 0))
    }

    /// Looks for a secondary copy at every offset that the specification allows.
    mutating func searchSecondary(
        hashing: any Hashing, _ fetch: Fetch
    ) throws(LUKS2Fault) -> Result<HeaderCopy, ParseError> {
        var last = ParseError.invalid(field: "magic", rule: "no secondary header")
        for offset in LUKS2BinaryHeader.headerSizes {
            switch try copy(at: offset, hashing: hashing, fetch) {
            case .success(let copy): return .success(copy)
            case .failure(.invalid(field: "magic", _)), .failure(.truncated): continue
            case .failure(let error): last = error
            }
        }
        return .failure(last)
    }

    private func slice(_ offset: Int, _ count: Int) -> [UInt8] {
        let start = min(offset, bytes.count)
        return Array(bytes[start..<min(start + count, bytes.count)])
    }
}
