extension TOMLScanner {
    /// A text in one of TOML's four kinds of quotation marks.
    mutating func string() throws(SettingsError) -> String {
        if take("\"\"\"") { return try multiLine(mark: UInt8(ascii: "\"")) }
        if take("'''") { return try multiLine(mark: UInt8(ascii: "'")) }
        let mark = next()
        var text: [UInt8] = []
        while let byte = peek(), byte != mark {
            if byte == UInt8(ascii: "\\"), mark == UInt8(ascii: "\"") {
                text += try escape()
            } else {
                guard Self.isText(byte) else {
                    throw error(expected: "a text that ends on its line")
                }
                text.append(byte)
                _ = next()
            }
        }
        guard next() != nil else { throw error(expected: "the end of a text") }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func multiLine(mark: UInt8) throws(SettingsError) -> String {
        var text: [UInt8] = []
        _ = takeLineBreak()
        while let byte = peek() {
            if byte == mark {
                // Up to two marks may stand directly before the three that end the text.
                let count = take { $0 == mark }.count
                guard count < 6 else {
                    throw error(expected: "at most 5 quotation marks", actual: "\(count)")
                }
                text += Array(repeating: mark, count: count < 3 ? count : count - 3)
                if count >= 3 { return String(decoding: text, as: UTF8.self) }
            } else if byte == UInt8(ascii: "\\"), mark == UInt8(ascii: "\"") {
                if !takeContinuation() { text += try escape() }
            } else if takeLineBreak() {
                text.append(UInt8(ascii: "\n"))
            } else {
                guard Self.isText(byte) else { throw error(expected: "text") }
                text.append(byte)
                _ = next()
            }
        }
        throw error(expected: "the end of a text")
    }

    /// A backslash at the end of a line, which takes all white space behind it away.
    private mutating func takeContinuation() -> Bool {
        var ahead = self
        _ = ahead.next()
        ahead.skipBlanks()
        guard ahead.takeLineBreak() else { return false }
        repeat { ahead.skipBlanks() } while ahead.takeLineBreak()
        self = ahead
        return true
    }

    private mutating func escape() throws(SettingsError) -> [UInt8] {
        _ = next()
        let expected = "one of \\b \\t \\n \\f \\r \\\" \\\\ \\u \\U"
        guard let kind = peek() else { throw error(expected: expected) }
        let simple: [Character: UInt8] = [
            "b": 8, "t": 9, "n": 10, "f": 12, "r": 13, "\"": 0x22, "\\": 0x5c,
        ]
        if let byte = simple[Character(UnicodeScalar(kind))] {
            _ = next()
            return [byte]
        }
        guard kind == UInt8(ascii: "u") || kind == UInt8(ascii: "U") else {
            throw error(expected: expected)
        }
        _ = next()
        var value: UInt32 = 0
        for _ in 0..<(kind == UInt8(ascii: "u") ? 4 : 8) {
            guard let byte = peek(),
                let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80
            else { throw error(expected: "a hexadecimal digit") }
            value = value << 4 | UInt32(digit)
            _ = next()
        }
        // A NUL would end the text early for whatever C function it is given to.
        guard value != 0, let scalar = UnicodeScalar(value) else {
            throw error(
                expected: "a character", actual: value == 0 ? "a NUL character" : "none")
        }
        return Array(String(scalar).utf8)
    }

    /// A number, a date, `true` or `false`: whatever is not in quotation marks or brackets.
    mutating func bareValue() throws(SettingsError) -> TOMLNode {
        let start = self
        var word = String(decoding: take(while: Self.isWord), as: UTF8.self)
        // A date and its time may have a blank between them.
        if Self.isDate(word), peek() == UInt8(ascii: " "), let digit = peek(1),
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit)
        {
            _ = next()
            word += "T" + String(decoding: take(while: Self.isWord), as: UTF8.self)
        }
        guard !word.isEmpty else { throw start.error(expected: "a value") }
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "inf", "+inf": return .float(.infinity)
        case "-inf": return .float(-.infinity)
        case "nan", "+nan", "-nan": return .float(.nan)
        default: break
        }
        if let number = Self.integer(word) { return .integer(number) }
        if let number = Self.fraction(word) { return .float(number) }
        if Self.isDate(word) { return .date }
        throw start.error(expected: "a value", actual: String(word.prefix(80)).debugDescription)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        TOMLReader.isBareKeyCharacter(byte) || "+.:".utf8.contains(byte)
    }

    /// Digits with single underscores between them; nil for anything else.
    private static func digits(_ text: Substring, radix: Int = 10) -> String? {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        let isSound = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { $0 < 0x80 }
                && part.allSatisfy { $0.hexDigitValue.map { $0 < radix } ?? false }
        }
        return isSound ? parts.joined() : nil
    }

    private static func integer(_ word: String) -> Int? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            return digits(word.dropFirst(2), radix: radix).flatMap { Int($0, radix: radix) }
        }
        let sign = word.hasPrefix("-") ? "-" : ""
        let rest = word.hasPrefix("-") || word.hasPrefix("+") ? word.dropFirst() : word[...]
        guard let digits = digits(rest), digits == "0" || !digits.hasPrefix("0") else { return nil }
        return Int(sign + digits)
    }

    private static func fraction(_ word: String) -> Double? {
        let parts = word.lowercased().split(
            separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard mantissa.count <= 2, mantissa.count == 2 || parts.count == 2 else { return nil }
        let whole = mantissa[0].drop { $0 == "-" || $0 == "+" }
        guard mantissa[0].count - whole.count <= 1, let digits = digits(whole),
            digits == "0" || !digits.hasPrefix("0")
        else { return nil }
        if mantissa.count == 2, Self.digits(mantissa[1]) == nil { return nil }
        if parts.count == 2 {
            let exponent = parts[1].drop { $0 == "-" || $0 == "+" }
            guard parts[1].count - exponent.count <= 1, Self.digits(exponent) != nil else {
                return nil
            }
        }
        return Double(word.filter { $0 != "_" })
    }

    private static func isDate(_ word: String) -> Bool {
        let shape = word.prefix(10).map { $0.isWholeNumber ? "0" : String($0) }.joined()
        return shape == "0000-00-00" || shape.hasPrefix("00:00")
    }
}
