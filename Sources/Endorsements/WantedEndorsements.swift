import Bytes
import Linux
import Synchronization

/// The documents that launches asked for and nobody had, kept beside the cache, so that an owner whose
/// broker has no Internet knows what to bring.
///
/// The file `wanted` has a line for each: its name, and when it was last asked for in seconds since 1970.
public final class WantedEndorsements: Sendable {
    /// How many are remembered; the one that was asked for longest ago goes first.
    public static let maximumCount = 1024

    private static let place = ["wanted"]
    private static let limit = 1 << 20
    /// A date on disk may be this much older than the true one, in seconds.
    private static let coarseness: Int64 = 3600

    private let directory: ConfinedDirectory
    private let times: Mutex<[EndorsementObject: Int64]>

    /// Goes on where the file in `cache` ends; lines that cannot be read are passed over.
    public init(_ cache: EndorsementCache) {
        directory = cache.directory
        times = Mutex(Self.read(cache))
    }

    /// What the file in `cache` says.
    public static func read(_ cache: EndorsementCache) -> [EndorsementObject: Int64] {
        let bytes = (try? cache.directory.read(place, atMost: limit)) ?? []
        var times: [EndorsementObject: Int64] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let object = EndorsementObject(String(parts[0])),
                let time = Int64(parts[1]), times.count < maximumCount
            else { continue }
            times[object] = time
        }
        return times
    }

    /// Each document, and when it was last asked for; seconds since 1970, UTC.
    public var now: [EndorsementObject: Int64] { times.withLock { $0 } }

    /// Notes that a document was asked for. A file that cannot be written is tried again next time.
    func note(_ objects: [EndorsementObject], at time: Int64) {
        times.withLock { times in
            var isNews = false
            for object in objects where (times[object] ?? .min) < time - Self.coarseness {
                times[object] = time
                isNews = true
            }
            guard isNews else { return }
            while times.count > Self.maximumCount,
                let oldest = times.min(by: { $0.value < $1.value })
            {
                times[oldest.key] = nil
            }
            let lines = times.map { "\($0.key) \($0.value)\n" }.sorted().joined()
            try? directory.write(Self.place, Array(lines.utf8))
        }
    }
}
