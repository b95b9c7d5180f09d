/// Classes of ASCII characters that the grammars of this module are made of.
enum Characters {
    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    static func isLowerHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    static func isHexadecimal(_ byte: UInt8) -> Bool {
        isLowerHexadecimal(byte) || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
    }

    static func isOne(of set: StaticString, _ byte: UInt8) -> Bool {
        "\(set)".utf8.contains(byte)
    }

    /// Space to tilde.
    static func isPrintable(_ byte: UInt8) -> Bool {
        (0x20...0x7e).contains(byte)
    }

    static func isName(
        _ text: some Collection<UInt8>, length: ClosedRange<Int>, first: (UInt8) -> Bool,
        rest: (UInt8) -> Bool
    ) -> Bool {
        guard length.contains(text.count), let initial = text.first, first(initial) else {
            return false
        }
        return text.dropFirst().allSatisfy(rest)
    }
}
