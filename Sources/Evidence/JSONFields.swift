import Bytes

/// The members of one JSON object, each asked for by name and kind; every failure names its path.
///
/// Members that nobody asks for are passed over: the documents that this reads are signed by their
/// vendor, who adds members without a new version.
struct JSONFields {
    /// Where the object stands, for messages.
    let path: String
    private let value: JSONValue

    /// Reads a text that is exactly one object.
    init(parsing text: [UInt8], name: String, limits: JSONReader.Limits) throws(ParseError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.parse(text, limits: limits)
        } catch {
            throw .invalid(field: name, rule: "no JSON: \(error)")
        }
        try self.init(value, path: name)
    }

    private init(_ value: JSONValue, path: String) throws(ParseError) {
        guard value.members != nil else {
            throw .invalid(field: path, rule: "is \(value.kind), must be an object")
        }
        self.path = path
        self.value = value
    }

    /// All names, in the order of the text.
    var names: [String] { value.members?.map(\.name) ?? [] }

    func has(_ name: String) -> Bool { value[name] != nil }

    func isNull(_ name: String) -> Bool { value[name] == .null }

    private func member(_ name: String) throws(ParseError) -> JSONValue {
        guard let member = value[name] else {
            throw .invalid(field: "\(path).\(name)", rule: "is missing")
        }
        return member
    }

    func object(_ name: String) throws(ParseError) -> JSONFields {
        try JSONFields(try member(name), path: "\(path).\(name)")
    }

    func objects(
        _ name: String, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> [JSONFields] {
        let elements = try array(name, within: bounds)
        var objects: [JSONFields] = []
        for (index, element) in elements.enumerated() {
            objects.append(try JSONFields(element, path: "\(path).\(name)[\(index)]"))
        }
        return objects
    }

    func array(
        _ name: String, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> [JSONValue] {
        let value = try member(name)
        guard let elements = value.array else {
            throw .invalid(field: "\(path).\(name)", rule: "is \(value.kind), must be an array")
        }
        guard bounds.contains(elements.count) else {
            throw .lengthOutOfBounds(
                field: "\(path).\(name)", length: elements.count, minimum: bounds.lowerBound,
                maximum: bounds.upperBound)
        }
        return elements
    }

    func string(_ name: String) throws(ParseError) -> String {
        let value = try member(name)
        guard let text = value.string else {
            throw .invalid(field: "\(path).\(name)", rule: "is \(value.kind), must be a string")
        }
        return text
    }

    func string(_ name: String, mustBe wanted: String) throws(ParseError) {
        guard try string(name) == wanted else {
            throw .invalid(field: "\(path).\(name)", rule: "must be `\(wanted)`")
        }
    }

    func integer(_ name: String, within bounds: ClosedRange<Int>) throws(ParseError) -> Int {
        guard let number = try member(name).integer, bounds.contains(number) else {
            throw .invalid(
                field: "\(path).\(name)",
                rule: "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    /// A whole number of any size that the type has, zero or more.
    func unsigned<Number: FixedWidthInteger>(_ name: String) throws(ParseError) -> Number {
        guard case .number(let digits) = try member(name), let number = Number(digits), number >= 0
        else {
            throw .invalid(
                field: "\(path).\(name)", rule: "must be a whole number from 0 to \(Number.max)")
        }
        return number
    }

    /// Printable ASCII, so that it may be shown anywhere.
    func label(_ name: String) throws(ParseError) -> String {
        let text = try string(name)
        guard Self.isLabel(text) else {
            throw .invalid(
                field: "\(path).\(name)", rule: "must be 1 to 256 printable ASCII characters")
        }
        return text
    }

    private static func isLabel(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }

    /// Texts of at most 8192 bytes.
    func strings(_ name: String, within bounds: ClosedRange<Int>) throws(ParseError) -> [String] {
        var strings: [String] = []
        for element in try array(name, within: bounds) {
            guard let text = element.string, text.utf8.count <= 8192 else {
                throw .invalid(
                    field: "\(path).\(name)", rule: "must be texts of at most 8192 bytes")
            }
            strings.append(text)
        }
        return strings
    }

    /// Refuses members of other names.
    func holdsOnly(_ known: [String]) throws(ParseError) {
        guard let unknown = names.first(where: { !known.contains($0) }) else { return }
        throw .invalid(
            field: path, rule: "has no member \(SnapshotHeader.shown(Array(unknown.utf8)))")
    }

    /// Hexadecimal digits of either case, of so many bytes.
    func bytes(_ name: String, within bounds: ClosedRange<Int>) throws(ParseError) -> [UInt8] {
        let bytes = try bytes(name)
        guard bounds.contains(bytes.count) else {
            throw .lengthOutOfBounds(
                field: "\(path).\(name)", length: bytes.count, minimum: bounds.lowerBound,
                maximum: bounds.upperBound)
        }
        return bytes
    }

    /// Hexadecimal digits of either case.
    func bytes(_ name: String) throws(ParseError) -> [UInt8] {
        guard let bytes = Hex.decode(try string(name)) else {
            throw .invalid(field: "\(path).\(name)", rule: "must be hexadecimal digits")
        }
        return bytes
    }

    /// Hexadecimal digits of either case, exactly `count` bytes.
    func fixed<let count: Int>(
        _ name: String, as type: FixedBytes<count>.Type = FixedBytes<count>.self
    ) throws(ParseError) -> FixedBytes<count> {
        guard let value = FixedBytes<count>(hex: try string(name)) else {
            throw .invalid(
                field: "\(path).\(name)", rule: "must be \(2 * count) hexadecimal digits")
        }
        return value
    }

    func time(_ name: String) throws(ParseError) -> Int64 {
        guard let time = ISO8601.time(try string(name)) else {
            throw .invalid(field: "\(path).\(name)", rule: "must be a time YYYY-MM-DDThh:mm:ssZ")
        }
        return time
    }

    /// tcbStatus; a word that is not known here could mean anything, so it is an error.
    func status() throws(ParseError) -> TCBStatus {
        guard let status = TCBStatus(rawValue: try string("tcbStatus")) else {
            throw .invalid(
                field: "\(path).tcbStatus",
                rule: "must be one of \(TCBStatus.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        return status
    }

    /// advisoryIDs, such as `INTEL-SA-00837`; none where the member is absent.
    func advisories() throws(ParseError) -> [String] {
        guard has("advisoryIDs") else { return [] }
        var identifiers: [String] = []
        for element in try array("advisoryIDs", within: 0...256) {
            guard let text = element.string, (1...64).contains(text.utf8.count),
                text.utf8.allSatisfy(Self.isPlain)
            else {
                throw .invalid(
                    field: "\(path).advisoryIDs",
                    rule: "must be texts of 1 to 64 letters, digits and hyphens")
            }
            identifiers.append(text)
        }
        return identifiers
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
