/// Points in time as vendors write them, in seconds since 1970, UTC.
enum VendorTime {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads `2026-11-21T08:14:03Z` as Intel writes it; nil for anything else.
    static func iso(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let marks: [Int: Character] = [4: "-", 7: "-", 10: "T", 13: ":", 16: ":", 19: "Z"]
        guard bytes.count == 20,
            marks.allSatisfy({ bytes[$0.key] == $0.value.asciiValue })
        else { return nil }
        let numbers = [(0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2)].map { start, count in
            number(bytes[start..<start + count])
        }
        return seconds(numbers)
    }

    /// Reads `Sat, 21 Nov 2026 08:14:03 GMT` of RFC 9110, section 5.6.7; nil for anything else.
    static func http(_ text: String) -> Int64? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[5] == "GMT", parts[0].count == 4, parts[0].hasSuffix(","),
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
        guard parts[1].utf8.count == 2, parts[3].utf8.count == 4, clock.count == 3,
            clock.allSatisfy({ $0.utf8.count == 2 })
        else { return nil }
        return seconds(
            [number(Array(parts[3].utf8)[...]), month + 1, number(Array(parts[1].utf8)[...])]
                + clock.map { number(Array($0.utf8)[...]) })
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }

    /// Year, month, day, hour, minute, second of the proleptic Gregorian calendar.
    private static func seconds(_ parts: [Int?]) -> Int64? {
        let numbers = parts.compactMap { $0 }
        guard numbers.count == 6 else { return nil }
        let (year, month, day) = (numbers[0], numbers[1], numbers[2])
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year >= 1970, (1...12).contains(month), (1...lengths[month - 1]).contains(day),
            numbers[3] < 24, numbers[4] < 60, numbers[5] < 60
        else { return nil }
        let before = year - 1
        let leaps = before / 4 - before / 100 + before / 400 - 477
        let days =
            (year - 1970) * 365 + leaps + lengths[..<(month - 1)].reduce(0, +) + day - 1
        return Int64(days * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5])
    }
}
