import Linux

/// How text is shown: colours on a terminal only, times relative to now.
struct Screen {
    let hasColor: Bool
    let now: Int64

    /// Standard output as it is.
    static var standard: Screen {
        let wantsColor = Process.environment("NO_COLOR").map(\.isEmpty) ?? true
        return Screen(
            hasColor: wantsColor && Terminal.isTerminal(1)
                && Process.environment("TERM") != "dumb",
            now: Clock.realtime)
    }

    enum Tone: Int {
        case good = 32
        case bad = 31
        case doubtful = 33
        case quiet = 2
        case strong = 1
    }

    func paint(_ text: String, _ tone: Tone?) -> String {
        guard hasColor, let tone else { return text }
        return "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m"
    }

    /// `today 09:14:03`, `yesterday 09:14:03`, `2026-11-19 09:14:03`; this machine's time zone.
    func time(_ seconds: Int64) -> String {
        let time = LocalTime(seconds)
        let today = LocalTime(now)
        let yesterday = LocalTime(now - 86_400)
        let clock = [time.hour, time.minute, time.second].map(Self.twoDigits)
        let day =
            switch (time.year, time.month, time.day) {
            case (today.year, today.month, today.day): "today"
            case (yesterday.year, yesterday.month, yesterday.day): "yesterday"
            default: "\(time.year)-\(Self.twoDigits(time.month))-\(Self.twoDigits(time.day))"
            }
        return "\(day) \(clock.joined(separator: ":"))"
    }

    /// `1.1 ms`, `212 ms`, `3.4 s`.
    static func duration(milliseconds: Double) -> String {
        func oneDigit(_ value: Double) -> String {
            let tenths = Int((value * 10).rounded())
            return "\(tenths / 10).\(tenths % 10)"
        }
        if milliseconds >= 1000 { return oneDigit(milliseconds / 1000) + " s" }
        if milliseconds >= 10 { return "\(Int(milliseconds.rounded())) ms" }
        return oneDigit(max(0, milliseconds)) + " ms"
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

extension String {
    /// The text with everything that could command a terminal replaced; it came over a network.
    var shown: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control where scalar == "\t": scalar
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate,
                        .privateUse, .unassigned:
                        "?"
                    default: scalar
                    }
                }))
    }

    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }
}
