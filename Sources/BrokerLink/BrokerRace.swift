import Linux
public import OpenSSL
public import Protocol

/// Tries the brokers of gate.conf against each other until one has answered.
///
/// Won by the first connection whose pinned handshake is done and that brought a first message:
/// CHALLENGE for a launch or a report, CLOSE or REFUSED for a late outcome.
public struct BrokerRace {
    /// A connection that has won, and what the broker said on it.
    public struct Winner {
        /// Ready for what comes next.
        public let connection: Connection
        /// At least one.
        public let events: [AttesterEvent]
    }

    /// Whom to ask, in order of preference.
    public let brokers: [BrokerAddress]
    /// With the pins.
    public let context: TLSClientContext
    /// What each connection says first.
    public let opening: Connection.Opening
    /// Called with the last failure, some seconds apart.
    public let progress: (_ failure: String, _ waitingSeconds: UInt64) -> Void

    private static let progressInterval = Duration.seconds(10)

    /// Prepares a race; nothing happens before ``run(until:)``.
    public init(
        brokers: [BrokerAddress], context: TLSClientContext, opening: Connection.Opening,
        progress: @escaping (_ failure: String, _ waitingSeconds: UInt64) -> Void
    ) {
        self.brokers = brokers
        self.context = context
        self.opening = opening
        self.progress = progress
    }

    /// Goes on until a broker has answered or `deadline` (monotonic) has passed: then nil.
    public func run(until deadline: Duration? = nil) -> Winner? {
        let start = Self.now
        var schedule = AttemptSchedule(candidates: 0, at: start)
        var book = AddressBook(brokers: brokers)
        var running: [(attempt: AttemptSchedule.Attempt, connection: Connection)] = []
        var failure = "no answer yet"
        var lastProgress = start

        while true {
            let now = Self.now
            if let deadline, now >= deadline { return nil }
            switch schedule.next(at: now, random: Self.random()) {
            case .newRound(let round):
                book.resolve()
                if let problem = book.problem { failure = problem }
                schedule.setCandidates(count: book.addresses.count)
                if round > 2, now - lastProgress >= Self.progressInterval {
                    lastProgress = now
                    progress(failure, UInt64((now - start).components.seconds))
                }
            case .start(let attempt):
                do throws(ConnectionError) {
                    let connection = try Connection(
                        to: book.addresses[attempt.candidate], context: context, opening: opening)
                    running.append((attempt, connection))
                } catch {
                    failure = error.description
                    schedule.failed(attempt, at: now)
                }
            case .abandon(let attempt):
                if let index = running.firstIndex(where: { $0.attempt == attempt }) {
                    failure = "\(running[index].connection.address.description): no answer"
                    running.remove(at: index)
                }
            case .wait(let until):
                let end = deadline.map { min($0, until) } ?? until
                let ready = Poll.wait(
                    running.map(\.connection.interest), milliseconds: Self.milliseconds(end - now))
                for index in running.indices.reversed()
                where ready[index].read || ready[index].write {
                    do throws(ConnectionError) {
                        let connection = running[index].connection
                        let events = try connection.advance()
                        if case .refused(let refused)? = events.first,
                            refused.code != .refused
                        {
                            throw ConnectionError.turnedAway(refused.code)
                        }
                        if !events.isEmpty {
                            return Winner(connection: connection, events: events)
                        }
                    } catch {
                        failure = error.description(at: running[index].connection.address)
                        schedule.failed(running[index].attempt, at: Self.now)
                        running.remove(at: index)
                    }
                }
            }
        }
    }

    /// The monotonic clock, as deadlines are given in.
    public static var now: Duration { .nanoseconds(Int64(Clock.monotonicNanoseconds)) }

    private static func random() -> UInt64 {
        Random.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func milliseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        // Rounded up, or a wait of less than a millisecond would spin.
        return UInt64(max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1))
    }
}

/// The addresses behind the names in gate.conf.
struct AddressBook {
    let brokers: [BrokerAddress]
    /// In the order in which they are tried.
    private(set) var addresses: [SocketAddress] = []
    /// The last name that could not be resolved.
    private(set) var problem: String?

    init(brokers: [BrokerAddress]) {
        self.brokers = brokers
    }

    /// Asks for all names again; where all fail, yesterday's addresses are better than none.
    mutating func resolve() {
        var found: [SocketAddress] = []
        problem = nil
        for broker in brokers {
            do throws(ResolverError) {
                for address in try SocketAddress.resolve(host: broker.host, port: broker.port)
                where !found.contains(address) {
                    found.append(address)
                }
            } catch {
                problem = error.description
            }
        }
        if !found.isEmpty {
            addresses = AttemptSchedule.interleaved(found) { $0.isIPv6 }
        }
    }
}
