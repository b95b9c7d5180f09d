import ArgumentParser

/// A time span on the command line: a number and `s`, `m`, `h` or `d`.
struct DurationOption: ExpressibleByArgument, Equatable {
    let seconds: Int64

    init(seconds: Int64) {
        self.seconds = seconds
    }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }),
            let number = Int64(argument.dropLast()), (1...1_000_000).contains(number),
            "\(number)" == argument.dropLast()
        else { return nil }
        seconds = number * unit
    }

    var defaultValueDescription: String { text }

    /// Refuses what the broker would not take: less than a minute, more than a week.
    func validate(_ option: String) throws {
        guard (60...604_800).contains(seconds) else {
            throw ValidationError("\(option): expected 1m to 7d, got \(text)")
        }
    }

    /// In the largest unit that leaves no rest.
    var text: String {
        let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "m")]
        let unit = units.first { seconds % $0.0 == 0 } ?? (1, "s")
        return "\(seconds / unit.0)\(unit.1)"
    }
}
