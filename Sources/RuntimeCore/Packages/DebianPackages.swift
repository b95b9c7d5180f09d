import Evidence
import Linux

/// dpkg's database, by its files: `status`, `diversions`, `info/*.list` and `info/*.md5sums` (dpkg 1.21,
/// deb-md5sums(5), dpkg-divert(1)).
struct DebianPackages: Sendable {
    /// The longest line that is read; the list of a package has one for each path.
    static let maximumLine = 65536

    private let root: String

    init(root: String) {
        self.root = root
    }

    private var folder: String { "\(root)/var/lib/dpkg" }

    var isPresent: Bool { File.exists("\(folder)/status") }

    func forEach(
        _ body: (SnapshotPackage) throws(SnapshotFault) -> Void
    ) throws(SnapshotFault) {
        let paths = try SnapshotFault.wrapping { () throws(SystemError) in
            try DebianPaths(root: root)
        }
        var status = try SnapshotFault.wrapping { () throws(SystemError) in
            try DebianStatus("\(folder)/status")
        }
        while true {
            var package: SnapshotPackage?
            do throws(SystemError) {
                guard let stanza = try status.next() else { return }
                package = try filled(stanza, paths)
            } catch {
                throw .system(error)
            }
            if let package, package.isWritable { try body(package) }
        }
    }

    /// A package with its files; nil where it has no list, as virtual ones and those half removed.
    private func filled(
        _ stanza: DebianStatus.Stanza, _ paths: DebianPaths
    ) throws(SystemError) -> SnapshotPackage? {
        guard var lines = try open(stanza, "list") else { return nil }
        var package = stanza.package
        var files: [[UInt8]] = []
        var directories: Set<[UInt8]> = []
        var line: [UInt8] = []
        while try lines.next(into: &line) {
            if let slash = line.lastIndex(of: UInt8(ascii: "/")) {
                directories.insert(Array(line[..<slash]))
            }
            files.append(line)
        }
        // `/.` is how the root stands in every list.
        for file in files where file.count > 2 && !directories.contains(file) {
            package.add(path: paths.actual(file, of: package.name))
        }
        return package
    }

    /// Opens a file of `info`; its name has the architecture where several of them can be installed.
    private func open(
        _ stanza: DebianStatus.Stanza, _ kind: String
    ) throws(SystemError) -> LineReader? {
        let name = stanza.package.name
        let candidates = ["\(name):\(stanza.package.architecture)", name]
        for candidate in candidates {
            do throws(SystemError) {
                let file = try FileDescriptor("\(folder)/info/\(candidate).\(kind)", .read)
                return LineReader(file, maximumLine: Self.maximumLine)
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        return nil
    }

    func find(_ search: inout OwnerSearch) throws(SystemError) {
        let paths = try DebianPaths(root: root)
        var status = try DebianStatus("\(folder)/status")
        var line: [UInt8] = []
        while let stanza = try status.next() {
            guard var lines = try open(stanza, "list") else { continue }
            let package = stanza.package
            var hasAny = false
            while try lines.next(into: &line) {
                let path = paths.actual(line, of: package.name)
                guard search.wants(path) else { continue }
                search.note(path, package)
                hasAny = true
            }
            guard hasAny else { continue }
            // Those of files that their administrator may change are in the status alone.
            for (path, digits) in stanza.configurationFiles {
                compare(paths.actual(path, of: package.name), digits, &search)
            }
            guard var sums = try open(stanza, "md5sums") else { continue }
            while try sums.next(into: &line) {
                let digits = line.prefix(32)
                guard line.count > 34, line[32] == 0x20, line[33] == 0x20 else { continue }
                let path = [UInt8(ascii: "/")] + line.dropFirst(34)
                compare(paths.actual(path, of: package.name), Array(digits), &search)
            }
        }
    }

    private func compare(_ path: [UInt8], _ digits: [UInt8], _ search: inout OwnerSearch) {
        guard search.wants(path), let delivered = OwnerSearch.Delivered(digits) else { return }
        search.compare(path, below: root, with: delivered)
    }
}
