public import Bytes
public import Evidence
public import Linux

/// What a snapshot says beside the files, and where those are looked for.
public struct SnapshotPlan: Sendable {
    /// The trees that Cosmian's agent leaves out, and ours.
    public static let alwaysExcluded = [
        "/sys", "/run", "/proc", "/lost+found", "/dev", "/media", "/var", "/tmp",
    ]
    /// The kernel's log in binary.
    public static let kernelLog = "/sys/kernel/security/ima/binary_runtime_measurements"

    /// What Cosmian's snapshots say too.
    public var header: SnapshotHeader
    /// What only ours say; `hash`, `ima`, `excluded` and `skipped` are filled in by the job.
    public var details: SnapshotDetails
    /// Trees and files that are left out beside ``alwaysExcluded`` and the agent's own folder.
    public var excluded: [String]
    /// Where the walk begins.
    public var root = "/"
    /// The IMA log; one that does not exist is no error.
    public var imaLog = kernelLog
    /// How far behind everything else the work stands.
    public var priority = WorkerThread.Priority()
    /// Who knows the packages; nil leaves them out.
    public var packages: PackageDatabase? = PackageDatabase()

    /// Plans a snapshot of all of the machine.
    ///
    /// - Parameter excluded: absolute paths without a slash at the end.
    public init(header: SnapshotHeader, details: SnapshotDetails, excluded: [String] = []) {
        self.header = header
        self.details = details
        self.excluded = excluded
    }
}

/// Why there is no snapshot.
public enum SnapshotFault: Error, Equatable {
    /// One is being made; a second one has to wait.
    case busy
    /// Somebody stopped it.
    case cancelled
    /// A call of the system failed, such as writing to a full disk.
    case system(SystemError)
    /// The kernel's log could not be read.
    case log(ParseError)
    /// What the snapshot says beside the files is not as it must be.
    case plan(ParseError)
    /// There are more files than a snapshot may have.
    case tooManyFiles

    /// Runs `body`, and takes a failure of the system as its own.
    static func wrapping<Value: ~Copyable>(
        _ body: () throws(SystemError) -> Value
    ) throws(SnapshotFault) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw .system(error)
        }
    }
}

extension SnapshotFault: CustomStringConvertible {
    /// One line for the owner.
    public var description: String {
        switch self {
        case .busy: "a snapshot is being made already"
        case .cancelled: "it was stopped"
        case .system(let error): "\(error)"
        case .log(let error): "the IMA log: \(error)"
        case .plan(let error): "\(error)"
        case .tooManyFiles:
            "there are more than \(SnapshotReader.maximumPairs) files; exclude trees in agent.toml"
        }
    }
}
