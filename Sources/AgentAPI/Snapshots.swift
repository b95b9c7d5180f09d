/// Answer of `GET /v1/snapshot`.
public struct SnapshotStatus: Codable, Equatable, Sendable {
    /// Where the one snapshot stands.
    public enum State: String, Codable, Sendable {
        /// There is none, and none is being made.
        case none
        /// It is being made.
        case running
        /// It is there.
        case done
        /// It could not be made; ``SnapshotStatus/problem`` says why.
        case failed
    }

    /// Where it stands.
    public var state: State
    /// Files hashed so far.
    public var files: Int
    /// Bytes hashed so far.
    public var bytes: Int64
    /// About how many files there will be, where that is known (from the last snapshot, or the file systems).
    public var expectedFiles: Int?
    /// When it was begun; seconds since 1970, UTC, by the VM's clock.
    public var started: Int64?
    /// Size of the finished file, in bytes.
    public var size: Int64?
    /// SHA-256 of the finished file, in hexadecimal; the agent's statement has it too.
    public var digest: String?
    /// Why it failed.
    public var problem: String?
    /// How many files could not be read.
    public var skipped: Int?
    /// The first of them, each with the reason.
    public var firstSkipped: [String]?

    /// Puts a status together.
    public init(
        state: State, files: Int = 0, bytes: Int64 = 0, expectedFiles: Int? = nil,
        started: Int64? = nil, size: Int64? = nil, digest: String? = nil, problem: String? = nil,
        skipped: Int? = nil, firstSkipped: [String]? = nil
    ) {
        self.state = state
        self.files = files
        self.bytes = bytes
        self.expectedFiles = expectedFiles
        self.started = started
        self.size = size
        self.digest = digest
        self.problem = problem
        self.skipped = skipped
        self.firstSkipped = firstSkipped
    }
}

/// Body of `POST /v1/packages/owners`.
public struct OwnersRequest: Codable, Equatable, Sendable {
    /// Absolute paths, 1000 at most.
    public var paths: [String]

    /// Asks whose these are.
    public init(paths: [String]) {
        self.paths = paths
    }
}

/// Answer of `POST /v1/packages/owners`, in the order of the request.
public struct OwnersAnswer: Codable, Equatable, Sendable {
    /// What a package manager says of one file.
    public struct Owner: Codable, Equatable, Sendable {
        /// The path as it was asked for.
        public var path: String
        /// Name of the package; nil where none has the file.
        public var package: String?
        /// Its version.
        public var version: String?
        /// Its architecture.
        public var architecture: String?
        /// Whether the file is now as the package delivered it; nil where the package says no digest.
        public var isAsDelivered: Bool?

        /// Puts an owner together.
        public init(
            path: String, package: String? = nil, version: String? = nil,
            architecture: String? = nil, isAsDelivered: Bool? = nil
        ) {
            self.path = path
            self.package = package
            self.version = version
            self.architecture = architecture
            self.isAsDelivered = isAsDelivered
        }
    }

    /// One for each path.
    public var owners: [Owner]

    /// Wraps the owners.
    public init(owners: [Owner]) {
        self.owners = owners
    }
}
