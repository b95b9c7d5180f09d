public import Bytes

/// What only our snapshots say: the member `bootgate`; docs/runtime.md, "The snapshot".
public struct SnapshotDetails: Equatable, Sendable {
    /// The value of the member `format`.
    public static let format = "bootgate snapshot 1"

    /// How long the kernel's IMA log was.
    public struct IMAExtent: Equatable, Sendable {
        /// Entries.
        public var entries: Int
        /// Bytes of the binary form.
        public var bytes: Int64

        /// Wraps both.
        public init(entries: Int, bytes: Int64) {
            self.entries = entries
            self.bytes = bytes
        }
    }

    /// The VM's id, where it was booted by the gate.
    public var vm: String?
    /// The host's name; 1 to 256 printable ASCII characters, as those of the other texts.
    public var hostName: String
    /// The kernel's boot id.
    public var bootID: String
    /// When it was made; seconds since 1970 by the VM's clock, which the host may set.
    public var time: Int64
    /// The function of the digests of files that were walked to.
    public var hash: HashAlgorithm
    /// The registers that the TPM had.
    public var pcrs: PCRValues
    /// The TPM name of the quoting key; empty without a TPM.
    public var attestationKeyName: [UInt8]
    /// The IMA log, whose files and buffers are among the snapshot's; nil where the kernel has none.
    public var ima: IMAExtent?
    /// The trees that were not walked.
    public var excluded: [String]
    /// How many files could not be read.
    public var skipped: Int

    /// Puts the details together.
    public init(
        vm: String? = nil, hostName: String, bootID: String, time: Int64, hash: HashAlgorithm,
        pcrs: PCRValues = PCRValues(), attestationKeyName: [UInt8] = [], ima: IMAExtent? = nil,
        excluded: [String] = [], skipped: Int = 0
    ) {
        self.vm = vm
        self.hostName = hostName
        self.bootID = bootID
        self.time = time
        self.hash = hash
        self.pcrs = pcrs
        self.attestationKeyName = attestationKeyName
        self.ima = ima
        self.excluded = excluded
        self.skipped = skipped
    }
}

/// A package that was installed when a snapshot was made.
public struct SnapshotPackage: Equatable, Sendable {
    /// Which program knows it.
    public enum Manager: String, Sendable, Hashable {
        /// Debian's.
        case dpkg
        /// Red Hat's.
        case rpm
    }

    /// Its name.
    public var name: String
    /// Its version, as its manager writes it.
    public var version: String
    /// Its architecture; `all` or `noarch` where it has none.
    public var architecture: String
    /// Which program knows it.
    public var manager: Manager
    /// The paths of its files, as ``SnapshotPath`` has them, a line feed behind each.
    ///
    /// One array and not one for each path: an installation has hundreds of thousands.
    public private(set) var pathLines: [UInt8] = []

    /// A package of which no file is known yet.
    public init(name: String, version: String, architecture: String, manager: Manager) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.manager = manager
    }

    /// Adds one of its files.
    public mutating func add(path: some Sequence<UInt8>) {
        pathLines += SnapshotPath.normalized(path)
        pathLines.append(0x0a)
    }

    /// The paths of its files.
    public var paths: [String] {
        pathLines.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
    }
}
