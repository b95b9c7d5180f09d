import Protocol
import Testing

@Suite struct AttemptScheduleTests {
    @Test("a dead first address costs less than a second", arguments: [2, 3, 16, 64])
    func deadFirst(count: Int) {
        var network = Network(count: count, seed: 1)
        network.run(until: .seconds(1))
        let second = network.starts.first { $0.candidate == 1 }
        #expect(second.map { $0.time <= .milliseconds(250) } == true)
    }

    @Test("an address that fails makes room for the next one at once")
    func failsAtOnce() {
        var network = Network(count: 3, seed: 1)
        network.answer = { _, _ in .fails(after: .milliseconds(3)) }
        network.run(until: .milliseconds(20))
        #expect(network.starts.map(\.time) == [.zero, .milliseconds(3), .milliseconds(6)])
    }

    @Test("starts every address of a round within a second, in order")
    func spread() {
        var network = Network(count: 64, seed: 1)
        network.run(until: .seconds(1))
        #expect(network.starts.map(\.candidate) == Array(0..<64))
    }

    @Test(
        "tries an address within 5 s of its return, whatever happened before",
        arguments: [1, 2, 5, 16, 64], [Network.Answer.hangs, .fails(after: .milliseconds(1))])
    func comesBack(count: Int, answer: Network.Answer) {
        for seed in UInt64(0)..<3 {
            var network = Network(count: count, seed: seed)
            network.answer = { _, _ in answer }
            network.run(until: .seconds(120))
            for candidate in 0..<count {
                let times = network.starts.filter { $0.candidate == candidate }.map(\.time)
                for (time, next) in zip(times, times.dropFirst()) {
                    #expect(next - time <= .seconds(5))
                }
                #expect(times.last.map { $0 >= .seconds(115) } == true)
            }
        }
    }

    @Test("holds with addresses that fail, hang and answer late at random")
    func mixed() {
        for seed in UInt64(0)..<10 {
            var network = Network(count: 7, seed: seed)
            network.answer = { _, random in
                switch random % 3 {
                case 0: .hangs
                case 1: .fails(after: .milliseconds(Int(random % 7000)))
                default: .fails(after: .milliseconds(1))
                }
            }
            network.run(until: .seconds(120))
            for candidate in 0..<7 {
                let times = network.starts.filter { $0.candidate == candidate }.map(\.time)
                for (time, next) in zip(times, times.dropFirst()) {
                    #expect(next - time <= .seconds(5), "seed \(seed)")
                }
            }
            #expect(network.mostRunning <= 7 * 3)
        }
    }

    @Test("gives an attempt up at its deadline")
    func abandons() {
        var network = Network(count: 1, seed: 3)
        network.run(until: .seconds(60))
        #expect(!network.abandoned.isEmpty)
        #expect(network.abandoned.allSatisfy { $0 == AttemptSchedule.attemptTime })
        #expect(network.mostRunning <= 3)
    }

    @Test("backs off, and two VMs do not come back in step")
    func backsOff() {
        var rounds: [[Duration]] = []
        for seed in [UInt64(1), 2] {
            var network = Network(count: 1, seed: seed)
            network.answer = { _, _ in .fails(after: .zero) }
            network.run(until: .seconds(60))
            rounds.append(network.starts.map(\.time))
        }
        #expect(rounds[0] != rounds[1])
        for times in rounds {
            let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
            #expect(pauses[0] <= .milliseconds(500))
            #expect(pauses[0] >= .milliseconds(250))
            #expect(pauses.dropFirst(4).allSatisfy { $0 >= .seconds(2) && $0 <= .seconds(4) })
        }
    }

    @Test("goes on when no name resolves, and takes new addresses with a round")
    func noCandidates() {
        var network = Network(count: 0, seed: 1)
        network.run(until: .seconds(30))
        #expect(network.starts.isEmpty)
        #expect(network.rounds >= 7)
        network.nextCount = 2
        network.run(until: .seconds(36))
        #expect(Set(network.starts.map(\.candidate)) == [0, 1])
        #expect(network.starts.first.map { $0.time <= .seconds(35) } == true)
    }

    @Test("comes back after the pause that a held launch was told")
    func held() {
        var network = Network(count: 1, seed: 1)
        network.run(until: .milliseconds(10))
        network.restart(after: .seconds(60))
        network.run(until: .seconds(70))
        #expect(network.starts.count >= 2)
        #expect(network.starts[1].time == .seconds(60) + .milliseconds(10))
    }

    @Test("interleaves the families, IPv6 first")
    func interleaved() {
        let mixed = ["4a", "4b", "6a", "4c", "6b"]
        let result = AttemptSchedule.interleaved(mixed) { $0.hasPrefix("6") }
        #expect(result == ["6a", "4a", "6b", "4b", "4c"])
        #expect(AttemptSchedule.interleaved(["4a"]) { $0.hasPrefix("6") } == ["4a"])
    }
}

/// A virtual clock, a schedule, and a network that answers as it is told.
struct Network {
    enum Answer: Sendable {
        case hangs
        case fails(after: Duration)
    }

    var answer: @Sendable (_ candidate: Int, _ random: UInt64) -> Answer = { _, _ in .hangs }
    var nextCount: Int?
    private(set) var starts: [(candidate: Int, time: Duration)] = []
    private(set) var abandoned: [Duration] = []
    private(set) var rounds = 0
    private(set) var mostRunning = 0

    private var schedule: AttemptSchedule
    private var now = Duration.zero
    private var random: UInt64
    private var failures: [(attempt: AttemptSchedule.Attempt, time: Duration)] = []
    private var started: [Int: Duration] = [:]

    init(count: Int, seed: UInt64) {
        schedule = AttemptSchedule(candidates: count, at: .zero)
        random = seed
    }

    mutating func restart(after pause: Duration) {
        schedule.restart(at: now, after: pause)
        failures = []
        started = [:]
    }

    /// Steps from event to event; the clock ends at `end`.
    mutating func run(until end: Duration) {
        while true {
            let wake: Duration
            switch schedule.next(at: now, random: draw()) {
            case .newRound:
                rounds += 1
                if let nextCount { schedule.setCandidates(count: nextCount) }
                continue
            case .start(let attempt):
                starts.append((attempt.candidate, now))
                started[attempt.number] = now
                mostRunning = max(mostRunning, started.count)
                if case .fails(let delay) = answer(attempt.candidate, draw()) {
                    failures.append((attempt, now + delay))
                }
                continue
            case .abandon(let attempt):
                abandoned.append(now - (started[attempt.number] ?? .zero))
                started[attempt.number] = nil
                continue
            case .wait(let until):
                wake = until
            }
            let failure = failures.indices.min { failures[$0].time < failures[$1].time }
            let next = min(wake, failure.map { failures[$0].time } ?? wake)
            guard next <= end else {
                now = end
                return
            }
            now = max(now, next)
            if let failure, failures[failure].time <= now {
                let attempt = failures.remove(at: failure).attempt
                started[attempt.number] = nil
                schedule.failed(attempt, at: now)
            }
        }
    }

    /// splitmix64.
    private mutating func draw() -> UInt64 {
        random &+= 0x9e37_79b9_7f4a_7c15
        var z = random
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
