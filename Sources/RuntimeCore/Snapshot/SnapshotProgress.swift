import Synchronization

/// How far a snapshot is, and whether anybody still wants it; written by one thread and read by others.
final class SnapshotProgress: Sendable {
    private let fileCount = Atomic<Int>(0)
    private let byteCount = Atomic<Int64>(0)
    private let cancelled = Atomic<Bool>(false)
    private let problems = Mutex<(count: Int, first: [String])>((0, []))

    /// How many files that could not be read are told by name.
    static let maximumTold = 16

    /// Why a file or folder is not read that lies under a cover.
    static let covered = "hidden from the agent, for example by its unit"

    var files: Int { fileCount.load(ordering: .relaxed) }
    var bytes: Int64 { byteCount.load(ordering: .relaxed) }
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }
    /// How many files could not be read.
    var skipped: Int { problems.withLock { $0.count } }
    /// The first of them, with the reason.
    var firstSkipped: [String] { problems.withLock { $0.first } }

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    func addFile() { fileCount.add(1, ordering: .relaxed) }

    func add(bytes: Int) { byteCount.add(Int64(bytes), ordering: .relaxed) }

    func skip(_ path: [UInt8], _ reason: String) {
        problems.withLock { problems in
            problems.count += 1
            guard problems.first.count < Self.maximumTold else { return }
            problems.first.append("\(String(decoding: path.prefix(512), as: UTF8.self)): \(reason)")
        }
    }
}
