import Bytes
import Evidence
import Linux
import OpenSSL

/// The making of one snapshot, from the header to the last package.
struct SnapshotBuild: ~Copyable {
    /// What is written at a time.
    private static let partSize = 65536

    private let plan: SnapshotPlan
    private let excluded: [String]
    private let progress: SnapshotProgress
    private var writer: SnapshotWriter
    private var output: SnapshotOutput
    private var pairCount = 0

    /// Begins a file; nothing of an older one is there any more.
    init(
        _ plan: SnapshotPlan, in folder: AgentFolder, _ progress: SnapshotProgress
    ) throws(SnapshotFault) {
        let excluded = SnapshotPlan.alwaysExcluded + [folder.root] + plan.excluded
        try Self.check(plan, excluded)
        let output = try SnapshotFault.wrapping { () throws(SystemError) in
            try SnapshotOutput(in: folder)
        }
        self.plan = plan
        self.excluded = excluded
        self.progress = progress
        self.output = output
        writer = SnapshotWriter(plan.header)
    }

    /// Refuses what readers would refuse, before half a million files are hashed.
    private static func check(
        _ plan: SnapshotPlan, _ excluded: [String]
    ) throws(SnapshotFault) {
        var trial = SnapshotWriter(plan.header)
        var details = plan.details
        details.excluded = excluded
        trial.details(details)
        trial.end()
        do throws(ParseError) {
            _ = try Snapshot(parsing: trial.take())
        } catch {
            throw .plan(error)
        }
    }

    /// Makes all of it, and gives the file its name.
    mutating func run() throws(SnapshotFault) -> SnapshotFile {
        let log = try addLog()
        var details = plan.details
        details.ima = log?.extent
        details.hash = log?.hash ?? .sha256
        try addFiles(details.hash)
        details.excluded = excluded
        details.skipped = progress.skipped
        writer.details(details)
        try addPackages()
        writer.end()
        return try finish()
    }

    private mutating func addLog() throws(SnapshotFault) -> KernelLog.Summary? {
        try KernelLog.read(plan.imaLog) { entry throws(SnapshotFault) in
            try add(entry.data[entry.name], entry.data[entry.digest])
        }
    }

    private mutating func addFiles(_ algorithm: HashAlgorithm) throws(SnapshotFault) {
        var walk = FileTreeWalk(excluded: excluded, progress: progress)
        var hasher = FileHasher(RunningHash(algorithm))
        try walk.run(plan.root) { file, path throws(SnapshotFault) in
            let outcome: FileHasher.Outcome
            do throws(SystemError) {
                outcome = try hasher.hash(file, progress)
            } catch {
                return progress.skip(path, error.reason)
            }
            switch outcome {
            case .digest(let digest):
                try add(path, digest)
                progress.addFile()
            case .changing: progress.skip(path, "changes while it is read")
            case .covered: progress.skip(path, SnapshotProgress.covered)
            case .other: break
            case .cancelled: throw .cancelled
            }
        }
    }

    private mutating func addPackages() throws(SnapshotFault) {
        guard let packages = plan.packages else { return }
        try packages.forEach { package throws(SnapshotFault) in
            guard !progress.isCancelled else { throw .cancelled }
            writer.package(package)
            try flush(from: Self.partSize)
        }
    }

    private mutating func add(
        _ path: some Sequence<UInt8>, _ digest: some Sequence<UInt8>
    ) throws(SnapshotFault) {
        guard pairCount < SnapshotReader.maximumPairs else { throw .tooManyFiles }
        pairCount += 1
        writer.file(path: path, digest: digest)
        try flush(from: Self.partSize)
    }

    /// Writes what waits if it is at least so much.
    private mutating func flush(from count: Int) throws(SnapshotFault) {
        guard writer.bytes.count >= count else { return }
        do throws(SystemError) {
            try output.write(writer.take())
        } catch {
            throw .system(error)
        }
    }

    private mutating func finish() throws(SnapshotFault) -> SnapshotFile {
        try flush(from: 0)
        guard !progress.isCancelled else { throw .cancelled }
        do throws(SystemError) {
            return try output.commit()
        } catch {
            throw .system(error)
        }
    }
}
