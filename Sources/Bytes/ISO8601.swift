/// Points in time as ISO 8601 and RFC 3339 write them in UTC: `2026-11-21T08:00:00Z`.
public enum ISO8601 {
    /// The text of `time`, seconds since 1970 UTC (proleptic Gregorian calendar).
    public static func text(_ time: Int64) -> String {
        let seconds = ((time % 86400) + 86400) % 86400
        let day = (time - seconds) / 86400
        // Days since 0000-03-01, so that a leap day is the last day of its year; 400 years are an era.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        var text = Array("\(year)-00-00T00:00:00Z".utf8)
        for (place, number) in [
            (15, month), (12, dayOfMonth), (9, seconds / 3600), (6, seconds / 60 % 60),
            (3, seconds % 60),
        ] {
            let index = text.count - place
            text[index] += UInt8(number / 10)
            text[index + 1] += UInt8(number % 10)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Seconds since 1970 UTC of a text of exactly the form `YYYY-MM-DDThh:mm:ssZ`; nil for any other,
    /// and for a day or time that no calendar has.
    public static func time(_ text: String) -> Int64? {
        let characters = Array(text.utf8)
        let form = Array("0000-00-00T00:00:00Z".utf8)
        guard characters.count == form.count else { return nil }
        var numbers: [Int64] = [0]
        for (character, expected) in zip(characters, form) {
            if expected == UInt8(ascii: "0") {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else {
                    return nil
                }
                numbers[numbers.count - 1] *= 10
                numbers[numbers.count - 1] += Int64(character - UInt8(ascii: "0"))
            } else {
                guard character == expected else { return nil }
                numbers.append(0)
            }
        }
        let (year, month, day) = (numbers[0], numbers[1], numbers[2])
        guard (1...12).contains(month), day >= 1 else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let result = days * 86400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
        // The 31st of a shorter month and the 25th hour come out as another text.
        return year > 999 && Self.text(result) == text ? result : nil
    }
}
