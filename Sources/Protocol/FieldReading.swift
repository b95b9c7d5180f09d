import Bytes

extension ByteReader {
    /// Takes a value of an enum; one that this version does not know is refused.
    @_lifetime(self: copy self)
    mutating func known<T: RawRepresentable<UInt8>>(
        _ field: String, as type: T.Type = T.self
    ) throws(ParseError) -> T {
        let raw = try uint8(field)
        guard let value = T(rawValue: raw) else {
            throw .outOfRange(field: field, value: UInt64(raw))
        }
        return value
    }

    /// Takes a name that follows a grammar of its own.
    @_lifetime(self: copy self)
    mutating func name<T>(
        _ field: String, within bounds: ClosedRange<Int>, rule: String, _ make: (String) -> T?
    ) throws(ParseError) -> T {
        let bytes = try opaque(field, lengthBytes: 1, within: bounds)
        guard let value = make(String(decoding: bytes, as: UTF8.self)) else {
            throw .invalid(field: field, rule: rule)
        }
        return value
    }

    /// Takes `uint8 evidence_kinds<1..16>`, ascending and without duplicates.
    @_lifetime(self: copy self)
    mutating func evidenceKinds() throws(ParseError) -> Set<EvidenceKind> {
        let field = "evidence_kinds"
        let raw = try opaque(field, lengthBytes: 1, within: 1...16)
        var kinds: Set<EvidenceKind> = []
        for (index, value) in raw.enumerated() {
            guard let kind = EvidenceKind(rawValue: value) else {
                throw .outOfRange(field: field, value: UInt64(value))
            }
            guard index == 0 || raw[index - 1] < value else {
                throw .invalid(field: field, rule: "expected ascending kinds without duplicates")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    /// Takes `opaque reference<1..32>`.
    @_lifetime(self: copy self)
    mutating func reference() throws(ParseError) -> LaunchReference {
        try name(
            "reference", within: 1...32, rule: "expected [A-Za-z0-9][A-Za-z0-9-]{0,31}",
            LaunchReference.init)
    }
}

extension ByteWriter {
    mutating func evidenceKinds(_ kinds: Set<EvidenceKind>) {
        opaque(kinds.sorted().map(\.rawValue), lengthBytes: 1)
    }

    mutating func name(_ name: some CustomStringConvertible) {
        opaque(Array(name.description.utf8), lengthBytes: 1)
    }
}
