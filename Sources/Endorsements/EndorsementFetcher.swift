public import Curl
import Dispatch
import Linux
import Synchronization

/// Fetches documents beside everything else: whoever wants one is told when to ask for it again.
///
/// One request at a time to a vendor, each on a queue of the vendor's own; ``FetchSchedule`` says when.
/// What does not come, or is not what was asked for, changes nothing in the cache.
public final class EndorsementFetcher: Sendable {
    /// Asks one URL; the way to the network, or a test's stand-in for it.
    public typealias Transport =
        @Sendable (_ url: String, Downloader.Cancellation) throws(HTTPFault) -> Downloader.Answer

    /// One request that has ended.
    public struct Event: Sendable, Equatable {
        /// What was asked for.
        public let object: EndorsementObject
        /// Where.
        public let url: String
        /// What went wrong; nil where the document is in the cache now.
        public let fault: FetchFault?
    }

    private let cache: EndorsementCache
    private let services: EndorsementServices
    private let transport: Transport
    private let observe: @Sendable (Event) -> Void
    private let clock: @Sendable () -> Duration
    private let time: @Sendable () -> Int64
    private let schedule: Mutex<FetchSchedule>
    private let wakeUps = Mutex<[EndorsementObject.Vendor: Duration]>([:])
    private let queues: [EndorsementObject.Vendor: DispatchQueue]
    private let cancellation = Downloader.Cancellation()

    /// Puts a fetcher together; it asks for nothing until something is wanted.
    ///
    /// - Parameters:
    ///   - observe: hears of every request, on a queue of the fetcher.
    ///   - clock: durations since any fixed moment, for the schedule.
    ///   - time: seconds since 1970, UTC.
    public init(
        cache: EndorsementCache, services: EndorsementServices, transport: @escaping Transport,
        rules: FetchSchedule.Rules = .init(),
        observe: @escaping @Sendable (Event) -> Void = { _ in },
        clock: @escaping @Sendable () -> Duration = monotonicTime,
        time: @escaping @Sendable () -> Int64 = systemTime
    ) {
        self.cache = cache
        self.services = services
        self.transport = transport
        self.observe = observe
        self.clock = clock
        self.time = time
        schedule = Mutex(FetchSchedule(rules: rules))
        queues = Dictionary(
            uniqueKeysWithValues: EndorsementObject.Vendor.allCases.map {
                ($0, DispatchQueue(label: "bootgate.endorsements.\($0.rawValue)"))
            })
    }

    /// Wants a document and says what to expect; does not wait for anything.
    ///
    /// - Parameter requester: the address of who waits for it; nil where nobody does.
    public func want(
        _ object: EndorsementObject, for requester: String?
    ) -> FetchSchedule.Prospect {
        guard !cancellation.isCancelled else { return .failed(.transport(.cancelled)) }
        let now = clock()
        let prospect = schedule.withLock { $0.want(object, for: requester, at: now) }
        if case .comes = prospect {
            queues[object.vendor]?.async { self.work(object.vendor) }
        }
        return prospect
    }

    /// Wants everything anew that ends within `margin` seconds.
    public func prefetch(within margin: Int64) {
        let end = time() + margin
        for entry in cache.entries() where entry.expires < end {
            _ = want(entry.object, for: nil)
        }
    }

    /// Calls everything off and waits until no request is under way.
    public func stop() {
        cancellation.cancel()
        for queue in queues.values { queue.sync {} }
    }

    /// Runs on the vendor's queue only.
    private func work(_ vendor: EndorsementObject.Vendor) {
        while !cancellation.isCancelled {
            let now = clock()
            switch schedule.withLock({ $0.next(vendor, at: now) }) {
            case .fetch(let object): fetch(object)
            case .wait(let due): return wake(vendor, at: due, now)
            case .idle: return
            }
        }
    }

    private func fetch(_ object: EndorsementObject) {
        let url = services.url(of: object)
        var fault: FetchFault?
        do throws(FetchFault) {
            let content = try content(of: object, url)
            let metadata = EndorsementMetadata(
                object: object, source: url, fetched: time(), digest: content.digest)
            try cache.store(content, as: object, metadata: metadata)
        } catch {
            fault = error
        }
        let now = clock()
        let random = Random.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let outcome = fault
        schedule.withLock { $0.finished(object, outcome, at: now, random: random) }
        observe(Event(object: object, url: url, fault: fault))
    }

    private func content(
        of object: EndorsementObject, _ url: String
    ) throws(FetchFault) -> EndorsementContent {
        let answer: Downloader.Answer
        do throws(HTTPFault) {
            answer = try transport(url, cancellation)
        } catch {
            throw .transport(error)
        }
        return try EndorsementAnswer.content(of: object, answer, at: time())
    }

    /// Comes back to `vendor` at `due`; an earlier appointment that is still to come stands for a later one too.
    private func wake(
        _ vendor: EndorsementObject.Vendor, at due: Duration, _ now: Duration
    ) {
        let isNew = wakeUps.withLock { wakeUps in
            if let earlier = wakeUps[vendor], earlier <= due { return false }
            wakeUps[vendor] = due
            return true
        }
        guard isNew else { return }
        let pause = due - now
        let parts = pause.components
        let nanoseconds = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        queues[vendor]?.asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds))) {
            [weak self] in self?.keep(vendor, due)
        }
    }

    /// Keeps the appointment of `due`. By the schedule's clock it may be early, and is then made anew.
    private func keep(_ vendor: EndorsementObject.Vendor, _ due: Duration) {
        wakeUps.withLock { wakeUps in
            if wakeUps[vendor] == due { wakeUps[vendor] = nil }
        }
        work(vendor)
    }
}

extension EndorsementFetcher {
    /// A clock that never goes back.
    public static let monotonicTime: @Sendable () -> Duration = {
        .milliseconds(Int64(Clock.monotonicMilliseconds))
    }

    /// The system's clock: seconds since 1970, UTC.
    public static let systemTime: @Sendable () -> Int64 = { Clock.realtime }

    /// The way to the network.
    public static func transport(_ downloader: Downloader) -> Transport {
        { url, cancellation throws(HTTPFault) in
            try downloader.get(url, cancellation: cancellation)
        }
    }
}
