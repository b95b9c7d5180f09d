/// Which broker address to try when: a race in each round, and endless rounds with back-off.
///
/// Times are durations since any fixed moment and random numbers are passed in, so a test owns both.
/// Within a round the next address starts 250 ms after the last one, sooner where there are many, or
/// at once when an attempt fails. A new round starts when all attempts have failed and its back-off
/// has passed, but never later than ``longestInterval`` after the last round, even while attempts
/// still hang: so every address is tried again within 5 s, whatever a network swallows.
public struct AttemptSchedule: Sendable {
    /// One try of one address.
    public struct Attempt: Hashable, Sendable {
        /// Different for every attempt of a schedule.
        public let number: Int
        /// Which candidate to try, counted from 0.
        public let candidate: Int
        /// When the attempt is to be given up, unless it has won.
        public let deadline: Duration
    }

    /// What the caller has to do next.
    public enum Step: Equatable, Sendable {
        /// A round begins: names may be resolved anew and set with ``setCandidates(count:)``.
        case newRound(Int)
        /// Start this attempt.
        case start(Attempt)
        /// Give this attempt up: its deadline has passed.
        case abandon(Attempt)
        /// Nothing to do until then, or until an attempt fails.
        case wait(until: Duration)
    }

    /// Between two starts in a round of few addresses.
    public static let stagger = Duration.milliseconds(250)
    /// All addresses of a round have started after so long.
    public static let longestSpread = Duration.seconds(1)
    /// The first pause; it doubles with each round.
    public static let firstInterval = Duration.milliseconds(500)
    /// Between the starts of two rounds, at most.
    public static let longestInterval = Duration.seconds(4)
    /// How long one attempt may take, to the challenge.
    public static let attemptTime = Duration.seconds(8)
    /// More candidates than this are left out.
    public static let maximumCandidates = 64

    private var candidates: Int
    private var round = 0
    private var roundStart: Duration
    private var nextRound: Duration
    private var latestRound: Duration
    private var isAnnounced = false
    private var nextCandidate = 0
    private var nextStart: Duration
    private var attempts = 0
    private var running: [Attempt] = []

    /// The first round begins at `now`.
    public init(candidates count: Int, at now: Duration) {
        candidates = min(max(0, count), Self.maximumCandidates)
        roundStart = now
        nextRound = now
        latestRound = now
        nextStart = now
    }

    /// Replaces the addresses; call it on ``Step/newRound(_:)`` only.
    public mutating func setCandidates(count: Int) {
        candidates = min(max(0, count), Self.maximumCandidates)
    }

    /// What to do at `now`; call it until it says to wait.
    ///
    /// - Parameter random: a fresh random number; the jitter is made of it.
    public mutating func next(at now: Duration, random: UInt64) -> Step {
        if let index = running.firstIndex(where: { $0.deadline <= now }) {
            let attempt = running.remove(at: index)
            return .abandon(attempt)
        }
        if !isAnnounced {
            guard now >= nextRound else { return .wait(until: earliest(nextRound)) }
            begin(at: now, random: random)
            return .newRound(round)
        }
        if nextCandidate < candidates {
            guard now >= nextStart else { return .wait(until: earliest(nextStart)) }
            return .start(startNext(at: now))
        }
        let due = running.isEmpty ? nextRound : latestRound
        guard now >= due else { return .wait(until: earliest(due)) }
        nextRound = now
        begin(at: now, random: random)
        return .newRound(round)
    }

    /// Tells that `attempt` has failed; the next address is due at once.
    public mutating func failed(_ attempt: Attempt, at now: Duration) {
        guard let index = running.firstIndex(of: attempt) else { return }
        running.remove(at: index)
        nextStart = min(nextStart, now)
    }

    /// Forgets all attempts, after one of them had won: the next round begins after `pause`.
    public mutating func restart(at now: Duration, after pause: Duration) {
        running = []
        round = 0
        isAnnounced = false
        nextRound = now + pause
    }

    /// IPv6 and IPv4 by turns, IPv6 first, each in its own order (RFC 8305, section 4).
    public static func interleaved<Address>(
        _ addresses: [Address], isIPv6: (Address) -> Bool
    ) -> [Address] {
        let six = addresses.filter(isIPv6)
        let four = addresses.filter { !isIPv6($0) }
        var result: [Address] = []
        for index in 0..<max(six.count, four.count) {
            if index < six.count { result.append(six[index]) }
            if index < four.count { result.append(four[index]) }
        }
        return result
    }

    private mutating func begin(at now: Duration, random: UInt64) {
        let interval = min(Self.firstInterval * (1 << min(round, 3)), Self.longestInterval)
        // Half of it is certain, half is jitter: thousands of VMs must not come back in step.
        let jitter = interval / 2 * Int(random % 1024) / 1024
        round += 1
        isAnnounced = true
        roundStart = now
        nextRound = now + interval / 2 + jitter
        latestRound =
            now + Self.longestInterval * 3 / 4
            + Self.longestInterval / 4 * Int(random % 1024) / 1024
        nextCandidate = 0
        nextStart = now
    }

    private mutating func startNext(at now: Duration) -> Attempt {
        let attempt = Attempt(
            number: attempts, candidate: nextCandidate, deadline: now + Self.attemptTime)
        attempts += 1
        nextCandidate += 1
        running.append(attempt)
        nextStart = now + min(Self.stagger, Self.longestSpread / candidates)
        return attempt
    }

    private func earliest(_ time: Duration) -> Duration {
        running.map(\.deadline).reduce(time, min)
    }
}
