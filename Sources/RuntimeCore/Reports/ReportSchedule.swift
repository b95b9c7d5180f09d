/// When the next report is due.
public struct ReportSchedule: Sendable, Equatable {
    /// How a report ended, as far as the next one depends on it.
    public enum Ending: Sendable, Equatable {
        /// The broker took it, or refused it: either way it knows.
        case answered
        /// The broker wants another one after that many seconds.
        case held(seconds: UInt16)
        /// No broker, or no evidence.
        case failed
    }

    /// The first pause after a failure, in seconds; each further one is twice as long.
    public static let shortestPause = 5.0
    /// The longest pause after a failure, in seconds.
    public static let longestPause = 300.0

    /// From one report to the next, in seconds.
    public let interval: Double
    private var failures = 0

    /// Reports every `interval` seconds, 60 at least, give or take a tenth.
    public init(interval: Double) {
        self.interval = max(60, interval)
    }

    /// How many seconds to wait after a report that ended so.
    ///
    /// - Parameter random: from 0 up to 1; machines that were started together shall not report together.
    public mutating func pause(after ending: Ending, random: Double) -> Double {
        guard ending == .failed else {
            failures = 0
            if case .held(let seconds) = ending {
                return min(max(Double(seconds), Self.shortestPause), interval)
            }
            return interval * (0.9 + 0.2 * random)
        }
        failures = min(failures + 1, 16)
        let pause = Self.shortestPause * Double(1 << (failures - 1))
        return max(Self.shortestPause, min(pause, Self.longestPause) * (0.8 + 0.2 * random))
    }
}
