public import AgentAPI
public import Bytes
import Evidence
public import Linux
import Synchronization

/// The one snapshot that an agent makes or has.
///
/// It is made on a thread of its own that lets everything else go first, in memory that does not grow with
/// the number of files, as a file in the agent's folder that has no name before it is whole.
public final class SnapshotJob: Sendable {
    private enum State {
        case none
        case running(SnapshotProgress, started: Int64, expected: Int?)
        case done(SnapshotFile, SnapshotProgress, started: Int64)
        case failed(SnapshotFault, SnapshotProgress, started: Int64)
    }

    private struct Values {
        var state = State.none
        /// Files of the newest snapshot that was finished.
        var lastFiles: Int?
    }

    private let folder: AgentFolder
    private let values = Mutex(Values())

    /// No snapshot. What an agent before this one left in the folder is removed: nobody knows its digest.
    public init(folder: AgentFolder = AgentFolder()) {
        self.folder = folder
        SnapshotOutput.removeAll(in: folder)
    }

    /// Begins one, in place of the one before.
    ///
    /// - Throws: `.busy` while one is being made, also one that was stopped and has not ended yet; `.system`
    ///   where there is no thread for it. Whatever goes wrong later is told by ``status``.
    public func start(_ plan: SnapshotPlan) throws(SnapshotFault) {
        let progress = SnapshotProgress()
        let started = Clock.realtime
        let inodes = File.countOfInodes(at: plan.root)
        let isBusy = values.withLock { values in
            if case .running = values.state { return true }
            values.state = .running(
                progress, started: started, expected: values.lastFiles ?? inodes)
            return false
        }
        guard !isBusy else { throw .busy }
        SnapshotOutput.removeAll(in: folder)
        do throws(SystemError) {
            try WorkerThread.start(name: "snapshot") { [self] in
                WorkerThread.lowerPriority(plan.priority)
                run(plan, progress, started)
            }
        } catch {
            values.withLock { $0.state = .failed(.system(error), progress, started: started) }
            throw .system(error)
        }
    }

    /// Stops the one that is being made, or removes the one that was made.
    public func stop() {
        values.withLock { values in
            switch values.state {
            // The thread sees it within a part of a file, and cleans up.
            case .running(let progress, _, _): progress.cancel()
            case .none, .failed, .done:
                values.state = .none
                SnapshotOutput.removeAll(in: folder)
            }
        }
    }

    /// Where it stands; one that was stopped is none.
    public var status: SnapshotStatus {
        values.withLock { values in
            switch values.state {
            case .none: return SnapshotStatus(state: .none)
            case .running(let progress, let started, let expected):
                guard !progress.isCancelled else { return SnapshotStatus(state: .none) }
                return Self.status(.running, progress, started, expected: expected)
            case .done(let file, let progress, let started):
                var status = Self.status(.done, progress, started)
                status.size = file.size
                status.digest = file.digest.hex
                return status
            case .failed(let fault, let progress, let started):
                var status = Self.status(.failed, progress, started)
                status.problem = "\(fault)"
                return status
            }
        }
    }

    /// SHA-256 of the finished one.
    public var digest: FixedBytes<32>? {
        values.withLock { values in
            guard case .done(let file, _, _) = values.state else { return nil }
            return file.digest
        }
    }

    /// Opens the finished one; nil where there is none. What was opened stays readable when the next one
    /// takes its place.
    public func open() throws(SystemError) -> OpenSnapshot? {
        // Under the lock, so that digest and file belong to each other.
        try values.withLock { values throws(SystemError) in
            guard case .done(let file, _, _) = values.state else { return nil }
            let path = SnapshotOutput.path(in: folder)
            return OpenSnapshot(
                file: try FileDescriptor(path, .readUnlinked), size: file.size,
                digest: file.digest)
        }
    }

    /// Whether a thread is at work, also for one that was stopped.
    public var isBusy: Bool {
        values.withLock { values in
            if case .running = values.state { true } else { false }
        }
    }

    private func run(_ plan: SnapshotPlan, _ progress: SnapshotProgress, _ started: Int64) {
        do throws(SnapshotFault) {
            var build = try SnapshotBuild(plan, in: folder, progress)
            let file = try build.run()
            values.withLock { values in
                values.lastFiles = progress.files
                values.state = .done(file, progress, started: started)
                // Somebody may have stopped it behind the last look.
                if progress.isCancelled {
                    values.state = .none
                    SnapshotOutput.removeAll(in: folder)
                }
            }
        } catch {
            values.withLock { values in
                values.state =
                    progress.isCancelled ? .none : .failed(error, progress, started: started)
            }
        }
    }

    private static func status(
        _ state: SnapshotStatus.State, _ progress: SnapshotProgress, _ started: Int64,
        expected: Int? = nil
    ) -> SnapshotStatus {
        SnapshotStatus(
            state: state, files: progress.files, bytes: progress.bytes, expectedFiles: expected,
            started: started, skipped: progress.skipped, firstSkipped: progress.firstSkipped)
    }
}

/// A finished snapshot, open for reading.
public struct OpenSnapshot: ~Copyable, Sendable {
    /// The file, at its start.
    public let file: FileDescriptor
    /// Its size, in bytes.
    public let size: Int64
    /// SHA-256 of it.
    public let digest: FixedBytes<32>
}
