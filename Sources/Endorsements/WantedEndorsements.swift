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
    /// Seconds between two writes: whoever sends evidence of chips that he made up costs no more of them.
    private static let pause: Int64 = 10

    private let directory: ConfinedDirectory
    private let memory: Mutex<Memory>

    private struct Memory {
        var times: [EndorsementObject: Int64]
        var isUnwritten = false
        var written: Int64?
    }

    /// Goes on where the file in `cache` ends; lines that cannot be read are passed over.
    public init(_ cache: EndorsementCache) {
        directory = cache.directory
        memory = Mutex(Memory(times: Self.read(cache)))
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
    public var now: [EndorsementObject: Int64] { memory.withLock { $0.times } }

    /// Notes that a document was asked for. What cannot be written now is written with a later one.
    func note(_ objects: [EndorsementObject], at time: Int64) {
        memory.withLock { memory in
            for object in objects
            where (memory.times[object] ?? .min) < time - Self.coarseness {
                memory.times[object] = time
                memory.isUnwritten = true
            }
            // A clock that went back must not stop the writing.
            let isDue = memory.written.map { !($0..<$0 + Self.pause).contains(time) } ?? true
            if isDue || memory.times.count > 2 * Self.maximumCount {
                let excess = max(0, memory.times.count - Self.maximumCount)
                for (object, _) in memory.times.sorted(by: { $0.value < $1.value }).prefix(excess) {
                    memory.times[object] = nil
                }
            }
            guard memory.isUnwritten, isDue else { return }
            memory.written = time
            let lines = memory.times.map { "\($0.key) \($0.value)\n" }.sorted().joined()
            if (try? directory.write(Self.place, Array(lines.utf8))) != nil {
                memory.isUnwritten = false
            }
        }
    }
}
