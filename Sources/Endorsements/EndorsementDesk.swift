import Linux

/// Where launches ask for what is missing: it is noted, fetched where that is allowed, and they are told
/// whether to come back. Nobody waits here.
public final class EndorsementDesk: Sendable {
    /// What is to be expected.
    public struct Reply: Sendable, Equatable {
        /// After how many seconds to ask again; nil where that does not help.
        public var retryAfter: Int?
        /// In words, what becomes of each document that was asked for.
        public var notes: [EndorsementObject: String]

        /// Puts a reply together.
        public init(retryAfter: Int?, notes: [EndorsementObject: String]) {
            self.retryAfter = retryAfter
            self.notes = notes
        }
    }

    /// When to ask again, at least and at most, in seconds.
    public static let retryRange = 5...3600
    /// When to ask again where too much is being waited for, in seconds.
    private static let turnedAwayTime = 60

    /// What is there.
    public let cache: EndorsementCache
    /// What was asked for in vain.
    public let wanted: WantedEndorsements
    private let fetcher: EndorsementFetcher?
    private let time: @Sendable () -> Int64

    /// Opens the desk.
    ///
    /// - Parameter fetcher: nil where no connection may be made.
    public init(
        cache: EndorsementCache, fetcher: EndorsementFetcher?,
        time: @escaping @Sendable () -> Int64 = EndorsementFetcher.systemTime
    ) {
        self.cache = cache
        self.fetcher = fetcher
        self.time = time
        wanted = WantedEndorsements(cache)
    }

    /// Whether documents are fetched.
    public var isOnline: Bool { fetcher != nil }

    /// Takes an order of `peer`'s.
    public func request(_ objects: [EndorsementObject], for peer: String) -> Reply {
        guard !objects.isEmpty else { return Reply(retryAfter: nil, notes: [:]) }
        wanted.note(objects, at: time())
        var reply = Reply(retryAfter: nil, notes: [:])
        for object in objects {
            guard let fetcher else {
                reply.notes[object] = "fetching is off"
                continue
            }
            switch fetcher.want(object, for: peer) {
            case .comes(let duration):
                let (seconds, fraction) = duration.components
                let rounded = Int(seconds) + (fraction > 0 ? 1 : 0)
                reply.retryAfter = max(reply.retryAfter ?? 0, rounded)
                reply.notes[object] = "being fetched from \(object.vendor.title)"
            case .failed(let fault):
                reply.notes[object] = "\(object.vendor.title): \(fault)"
            case .turnedAway:
                reply.retryAfter = max(reply.retryAfter ?? 0, Self.turnedAwayTime)
                reply.notes[object] = "not fetched yet, too much is being waited for"
            }
        }
        reply.retryAfter = reply.retryAfter.map {
            Self.spread(min(max($0, Self.retryRange.lowerBound), Self.retryRange.upperBound))
        }
        return reply
    }

    /// Up to a quarter more, so that a crowd does not come back in step.
    private static func spread(_ seconds: Int) -> Int {
        seconds + seconds * Int(Random.bytes(1)[0]) / 1024
    }
}

extension EndorsementObject.Vendor {
    /// The service in an owner's words.
    public var title: String {
        switch self {
        case .amd: "AMD's key service"
        case .intel: "Intel's certification service"
        }
    }
}
