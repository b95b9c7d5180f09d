/// Which document to ask for when: one request at a time to each vendor, in a vendor's own pace, and
/// never two for one document.
///
/// Times are durations since any fixed moment and random numbers are passed in, so a test owns both.
/// Documents that a launch waits for go before those that are merely fetched anew, and certificates of chips
/// behind everything else: there are few other documents, many launches need each, and only chips can be
/// made up by anybody. A request that
/// failed for now is repeated after a pause that doubles, half of it by chance, and never before the
/// time that `Retry-After` names; one that failed for good is remembered for a while, so that a crowd of
/// launches costs one request.
public struct FetchSchedule: Sendable {
    /// The paces and limits.
    public struct Rules: Sendable, Equatable {
        /// Between the starts of two requests to a vendor; AMD's service takes one in ten seconds.
        public var spacing: [EndorsementObject.Vendor: Duration] = [
            .amd: .seconds(10), .intel: .seconds(1),
        ]
        /// The pause after a first failure.
        public var firstPause = Duration.seconds(10)
        /// No pause is longer, unless `Retry-After` is.
        public var longestPause = Duration.seconds(600)
        /// `Retry-After` counts up to here.
        public var longestRetryAfter = Duration.seconds(86_400)
        /// For how long a failure for good is remembered.
        public var settledTime = Duration.seconds(600)
        /// How many certificates of chips may be waited for; other documents are few.
        public var maximumWaiting = 256
        /// How many of them one address may have waited for.
        public var maximumPerRequester = 8
        /// How many failures for good are remembered.
        public var maximumSettled = 1024

        /// The rules for the vendors' own services.
        public init() {}
    }

    /// What to do next about a vendor.
    public enum Step: Equatable, Sendable {
        /// Ask for this document, and tell ``finished(_:_:at:random:)``.
        case fetch(EndorsementObject)
        /// Nothing before then, unless something new is wanted.
        case wait(until: Duration)
        /// Nothing at all, unless something new is wanted or a request ends.
        case idle
    }

    /// What is to be expected of a document.
    public enum Prospect: Equatable, Sendable {
        /// It may be there after so long.
        case comes(after: Duration)
        /// It was asked for and does not come.
        case failed(FetchFault)
        /// Nobody asks for it: too much is being waited for.
        case turnedAway
    }

    private enum State: Sendable {
        case waiting(due: Duration)
        case running
        case settled(FetchFault, until: Duration)
    }

    private struct Entry: Sendable {
        var state: State
        var order: Int
        var requester: String?
        var failures = 0

        var isUrgent: Bool { requester != nil }

        var isWaiting: Bool {
            switch state {
            case .waiting, .running: true
            case .settled: false
            }
        }
    }

    private struct Pace: Sendable {
        var isBusy = false
        var next: Duration
    }

    /// How long a request usually takes, for prospects.
    private static let typicalTime = Duration.seconds(2)

    private let rules: Rules
    private var entries: [EndorsementObject: Entry] = [:]
    private var paces: [EndorsementObject.Vendor: Pace] = [:]
    private var counter = 0

    /// Nothing is wanted yet.
    public init(rules: Rules = Rules()) {
        self.rules = rules
    }

    /// Notes that a document is wanted, and says what to expect.
    ///
    /// - Parameter requester: the address of who waits for it; nil where nobody does.
    public mutating func want(
        _ object: EndorsementObject, for requester: String?, at now: Duration
    ) -> Prospect {
        if var entry = entries[object] {
            if case .settled(let fault, let until) = entry.state, until > now {
                return .failed(fault)
            }
            if case .settled = entry.state {
                entry = Entry(state: .waiting(due: now), order: next(), requester: requester)
            }
            if entry.requester == nil { entry.requester = requester }
            entries[object] = entry
            return .comes(after: expectation(of: object, at: now))
        }
        let waiting = entries.filter { $0.key.isOfOneChip && $0.value.isWaiting }.values
        guard !object.isOfOneChip || waiting.count < rules.maximumWaiting,
            !object.isOfOneChip || requester == nil
                || waiting.count(where: { $0.requester == requester })
                    < rules.maximumPerRequester
        else { return .turnedAway }
        entries[object] = Entry(state: .waiting(due: now), order: next(), requester: requester)
        return .comes(after: expectation(of: object, at: now))
    }

    /// What to do at `now` about `vendor`.
    public mutating func next(_ vendor: EndorsementObject.Vendor, at now: Duration) -> Step {
        let pace = paces[vendor] ?? Pace(next: now)
        let waiting = waiting(vendor)
        guard !pace.isBusy, let soonest = waiting.map(\.due).min() else { return .idle }
        guard soonest <= now, pace.next <= now else { return .wait(until: max(soonest, pace.next)) }
        guard let first = waiting.first(where: { $0.due <= now }) else { return .idle }
        entries[first.object]?.state = .running
        paces[vendor] = Pace(
            isBusy: true, next: now + (rules.spacing[vendor] ?? .zero))
        return .fetch(first.object)
    }

    /// Tells how the request for `object` ended; nil is well.
    ///
    /// - Parameter random: a fresh random number; the jitter is made of it.
    public mutating func finished(
        _ object: EndorsementObject, _ fault: FetchFault?, at now: Duration, random: UInt64
    ) {
        var pace = paces[object.vendor] ?? Pace(next: now)
        pace.isBusy = false
        defer { paces[object.vendor] = pace }
        guard let fault, var entry = entries[object] else {
            entries[object] = nil
            return
        }
        let asked = fault.retryAfter.map { min(.seconds($0), rules.longestRetryAfter) } ?? .zero
        // It is said to this client and not about this document.
        pace.next = max(pace.next, now + asked)
        if fault.isTransient {
            entry.failures += 1
            entry.state = .waiting(due: now + max(asked, pause(entry.failures, random)))
        } else {
            entry.state = .settled(fault, until: now + rules.settledTime)
            entry.requester = nil
        }
        entries[object] = entry
        forgetSettled(at: now)
    }

    private func pause(_ failures: Int, _ random: UInt64) -> Duration {
        let whole = min(rules.firstPause * (1 << min(failures - 1, 16)), rules.longestPause)
        return whole / 2 + whole / 2 * Int(random % 1024) / 1024
    }

    /// In the order in which they are asked for.
    private func waiting(
        _ vendor: EndorsementObject.Vendor
    ) -> [(object: EndorsementObject, due: Duration)] {
        entries.filter { $0.key.vendor == vendor }
            .sorted {
                let (left, right) = ($0.value, $1.value)
                guard $0.key.isOfOneChip == $1.key.isOfOneChip else { return $1.key.isOfOneChip }
                return left.isUrgent == right.isUrgent
                    ? left.order < right.order : left.isUrgent
            }
            .compactMap { object, entry in
                if case .waiting(let due) = entry.state { (object, due) } else { nil }
            }
    }

    private func expectation(of object: EndorsementObject, at now: Duration) -> Duration {
        guard case .waiting(let due) = entries[object]?.state else { return Self.typicalTime }
        let vendor = object.vendor
        let ahead = waiting(vendor).prefix { $0.object != object }.count
        let start = max(now, paces[vendor]?.next ?? now) + (rules.spacing[vendor] ?? .zero) * ahead
        return max(start, due) - now + Self.typicalTime
    }

    private mutating func forgetSettled(at now: Duration) {
        let settled = entries.compactMap { object, entry -> (EndorsementObject, Duration)? in
            if case .settled(_, let until) = entry.state { (object, until) } else { nil }
        }
        let excess = max(0, settled.count - rules.maximumSettled)
        for (object, _) in settled.sorted(by: { $0.1 < $1.1 }).prefix(excess) {
            entries[object] = nil
        }
        for (object, until) in settled where until <= now { entries[object] = nil }
    }

    private mutating func next() -> Int {
        counter += 1
        return counter
    }
}

extension EndorsementObject {
    /// Whether it is one chip's alone. Of these there are as many as anybody likes to make up.
    fileprivate var isOfOneChip: Bool {
        switch self {
        case .vcek: true
        case .amdIssuers, .amdRevocations, .tdxTCBInfo, .tdxQEIdentity, .pckRevocations,
            .intelRootRevocations:
            false
        }
    }
}
