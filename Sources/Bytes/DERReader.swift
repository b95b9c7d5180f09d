/// Reads elements of DER (ITU-T X.690) from the front of bytes; every failure names the field.
///
/// For the short structures that vendors put into certificate extensions: tags of one byte, lengths
/// below 64 KiB in their shortest form. End each structure with ``finish(_:)``.
public struct DERReader {
    /// The tags in use.
    public enum Tag: UInt8, Sendable {
        /// BOOLEAN.
        case boolean = 0x01
        /// INTEGER.
        case integer = 0x02
        /// OCTET STRING.
        case octetString = 0x04
        /// OBJECT IDENTIFIER.
        case objectIdentifier = 0x06
        /// ENUMERATED.
        case enumerated = 0x0a
        /// SEQUENCE and SEQUENCE OF.
        case sequence = 0x30
    }

    private var rest: ArraySlice<UInt8>

    /// Reads `bytes` from their start.
    public init(_ bytes: some Sequence<UInt8>) {
        rest = Array(bytes)[...]
    }

    private init(slice: ArraySlice<UInt8>) {
        rest = slice
    }

    /// Whether everything has been read.
    public var isAtEnd: Bool { rest.isEmpty }

    /// Takes one element of `tag` and gives a reader of its contents.
    public mutating func element(_ tag: Tag, _ field: String) throws(ParseError) -> DERReader {
        DERReader(slice: try contents(tag, field))
    }

    /// Takes one element of `tag` and gives its contents as they are.
    public mutating func bytes(_ tag: Tag, _ field: String) throws(ParseError) -> [UInt8] {
        Array(try contents(tag, field))
    }

    /// Takes an OCTET STRING of exactly `count` bytes.
    public mutating func fixed<let count: Int>(
        _ field: String, as type: FixedBytes<count>.Type = FixedBytes<count>.self
    ) throws(ParseError) -> FixedBytes<count> {
        let bytes = try contents(.octetString, field)
        guard let value = FixedBytes<count>(bytes) else {
            throw .lengthOutOfBounds(
                field: field, length: bytes.count, minimum: count, maximum: count)
        }
        return value
    }

    /// Takes an INTEGER or ENUMERATED of 0 to `T.max` in its one canonical form.
    public mutating func unsigned<T: FixedWidthInteger & UnsignedInteger>(
        _ field: String, _ tag: Tag = .integer, as type: T.Type = T.self
    ) throws(ParseError) -> T {
        var bytes = try contents(tag, field)
        guard let first = bytes.first, first < 0x80 else {
            throw .invalid(field: field, rule: "must be a number that is not negative")
        }
        if first == 0, bytes.count > 1 {
            bytes.removeFirst()
            guard bytes[bytes.startIndex] >= 0x80 else {
                throw .invalid(field: field, rule: "is padded, so no DER")
            }
        }
        guard bytes.count <= T.bitWidth / 8 else {
            throw .lengthOutOfBounds(
                field: field, length: bytes.count, minimum: 1, maximum: T.bitWidth / 8)
        }
        return bytes.reduce(0) { $0 << 8 | T($1) }
    }

    /// Takes a BOOLEAN.
    public mutating func boolean(_ field: String) throws(ParseError) -> Bool {
        switch Array(try contents(.boolean, field)) {
        case [0]: return false
        case [0xff]: return true
        default: throw .invalid(field: field, rule: "must be one byte 00 or ff")
        }
    }

    /// Refuses whatever follows the structure.
    public func finish(_ structure: String) throws(ParseError) {
        guard rest.isEmpty else {
            throw .trailingBytes(structure: structure, count: rest.count)
        }
    }

    private mutating func contents(
        _ tag: Tag, _ field: String
    ) throws(ParseError) -> ArraySlice<UInt8> {
        let found = try byte(field)
        guard found == tag.rawValue else {
            throw .invalid(field: field, rule: "has tag \(found), must be \(tag) in DER")
        }
        let count = try length(field)
        guard count <= rest.count else {
            throw .truncated(field: field, needed: count, available: rest.count)
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func length(_ field: String) throws(ParseError) -> Int {
        let first = Int(try byte(field))
        switch first {
        case ..<0x80:
            return first
        case 0x81:
            let count = Int(try byte(field))
            guard count >= 0x80 else { throw Self.longLength(field) }
            return count
        case 0x82:
            let high = Int(try byte(field))
            let count = high << 8 | Int(try byte(field))
            guard count >= 0x100 else { throw Self.longLength(field) }
            return count
        default:
            throw .invalid(field: field, rule: "its length must be below 64 KiB and definite")
        }
    }

    private mutating func byte(_ field: String) throws(ParseError) -> UInt8 {
        guard let byte = rest.popFirst() else {
            throw .truncated(field: field, needed: 1, available: 0)
        }
        return byte
    }

    private static func longLength(_ field: String) -> ParseError {
        .invalid(field: field, rule: "its length is not in the shortest form, so no DER")
    }
}
