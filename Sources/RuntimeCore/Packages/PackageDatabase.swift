public import AgentAPI
import Evidence
public import Linux

/// What the machine's package manager knows: dpkg by its files, RPM by its program.
///
/// All of it is software of the VM. Whoever is root there can change it, so it explains differences and
/// proves nothing.
public struct PackageDatabase: Sendable {
    /// The most paths that ``owners(of:)`` looks for at once.
    public static let maximumPaths = 1000

    private let debian: DebianPackages
    private let redHat: RPMPackages

    /// The database of the system below `root`.
    ///
    /// - Parameter root: an absolute path; files of packages are looked for below it.
    /// - Parameter rpm: the program `rpm`, which is asked about the running system.
    public init(root: String = "/", rpm: String = "/usr/bin/rpm") {
        let folder = root == "/" ? "" : root
        debian = DebianPackages(root: folder)
        redHat = RPMPackages(root: folder, program: rpm)
    }

    /// Gives each installed package; one whose name, version or architecture no snapshot could hold is left
    /// out. Without a package manager there is none.
    func forEach(
        _ body: (SnapshotPackage) throws(SnapshotFault) -> Void
    ) throws(SnapshotFault) {
        if debian.isPresent { try debian.forEach(body) }
        if redHat.isPresent { try redHat.forEach(body) }
    }

    /// Says whose files these are, and whether they are as they were delivered. Reads the files; a second or
    /// more where there are many packages.
    ///
    /// - Throws: `SystemError` where the database cannot be read.
    public func owners(of request: OwnersRequest) throws(SystemError) -> OwnersAnswer {
        var search = OwnerSearch(request.paths)
        if debian.isPresent { try debian.find(&search) }
        if redHat.isPresent { try redHat.find(&search) }
        return search.answer
    }
}

extension SnapshotPackage {
    /// Whether a snapshot can hold it.
    var isWritable: Bool {
        [name, version, architecture].allSatisfy { text in
            (1...256).contains(text.utf8.count)
                && text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        } && pathLines.count < SnapshotReader.maximumPackage / 3
    }
}
