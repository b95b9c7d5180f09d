/// Writes DER (ITU-T X.690) for the extensions that vendors' certificates carry.
enum DER {
    /// A SEQUENCE of elements that are written already.
    static func sequence(_ elements: [[UInt8]]) -> [UInt8] {
        element(0x30, elements.flatMap(\.self))
    }

    /// A positive INTEGER: a set top bit takes a zero byte before it.
    static func integer(_ value: UInt16) -> [UInt8] {
        let all = [0, UInt8(value >> 8), UInt8(value & 0xff)]
        var bytes = all[...]
        while bytes.count > 1, bytes[bytes.startIndex] == 0, bytes[bytes.startIndex + 1] < 0x80 {
            bytes = bytes.dropFirst()
        }
        return element(0x02, Array(bytes))
    }

    /// An OCTET STRING.
    static func octets(_ bytes: [UInt8]) -> [UInt8] { element(0x04, bytes) }

    /// An ENUMERATED below 128.
    static func enumerated(_ value: UInt8) -> [UInt8] { element(0x0a, [value]) }

    /// A BOOLEAN.
    static func boolean(_ value: Bool) -> [UInt8] { element(0x01, [value ? 0xff : 0]) }

    /// An OBJECT IDENTIFIER whose contents are encoded already.
    static func object(_ contents: [UInt8]) -> [UInt8] { element(0x06, contents) }

    private static func element(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        let count = contents.count
        precondition(count <= 0xffff)
        let length: [UInt8] =
            switch count {
            case ..<0x80: [UInt8(count)]
            case ..<0x100: [0x81, UInt8(count)]
            default: [0x82, UInt8(count >> 8), UInt8(count & 0xff)]
            }
        return [tag] + length + contents
    }
}
