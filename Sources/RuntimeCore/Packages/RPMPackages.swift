import Evidence
import Linux

/// RPM's database, by its program: its files are of several kinds and no interface.
struct RPMPackages: Sendable {
    /// One line for each file: name, version, architecture, digest and path, tabs between them.
    private static let format =
        "[%{=NAME}\\t%{=EVR}\\t%{=ARCH}\\t%{FILEDIGESTS}\\t%{FILENAMES}\\n]"
    /// How long the program may be silent, in milliseconds; it waits for a lock while packages are installed.
    private static let patience: Int32 = 120_000

    /// Where distributions have the database, and its file in sqlite, ndb and Berkeley DB.
    private static let folders = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"]
    private static let databases = ["rpmdb.sqlite", "Packages.db", "Packages"]

    private let root: String
    private let program: String

    init(root: String, program: String) {
        self.root = root
        self.program = program
    }

    /// Whether this machine has packages of RPM's: the program alone is also on others, where it has nothing to
    /// open, and fails.
    var isPresent: Bool {
        File.exists(program)
            && Self.folders.contains { folder in
                Self.databases.contains { File.exists("\(root)/\(folder)/\($0)") }
            }
    }

    /// One line of the program's.
    private struct Entry {
        var package: SnapshotPackage
        var digits: [UInt8]
        var path: [UInt8]

        /// Nil for anything else than five fields, and for what has no digest: a directory, a link.
        init?(_ line: [UInt8]) {
            let fields = line.split(
                separator: 0x09, maxSplits: 4, omittingEmptySubsequences: false)
            guard fields.count == 5, fields[4].first == UInt8(ascii: "/"),
                !fields[3].isEmpty
            else { return nil }
            package = SnapshotPackage(
                name: String(decoding: fields[0], as: UTF8.self),
                version: String(decoding: fields[1], as: UTF8.self),
                architecture: String(decoding: fields[2], as: UTF8.self), manager: .rpm)
            digits = Array(fields[3])
            path = Array(fields[4])
        }

        func isOf(_ other: SnapshotPackage) -> Bool {
            package.name == other.name && package.version == other.version
                && package.architecture == other.architecture
        }
    }

    private func query() throws(SystemError) -> SubprocessLines {
        try SubprocessLines(
            of: [program, "-qa", "--qf", Self.format], maximumLine: 65536,
            patience: Self.patience)
    }

    func forEach(
        _ body: (SnapshotPackage) throws(SnapshotFault) -> Void
    ) throws(SnapshotFault) {
        var output = try SnapshotFault.wrapping { () throws(SystemError) in try query() }
        var current: SnapshotPackage?
        var line: [UInt8] = []
        while true {
            let isMore: Bool
            do throws(SystemError) {
                isMore = try output.next(into: &line)
            } catch {
                throw .system(error)
            }
            let entry = isMore ? Entry(line) : nil
            if isMore, entry == nil { continue }
            if let package = current, entry?.isOf(package) != true {
                if package.isWritable { try body(package) }
                current = nil
            }
            guard let entry else { break }
            current = current ?? entry.package
            current?.add(path: entry.path)
        }
        // A program that failed has not told of everything.
        do throws(SystemError) {
            try output.finish()
        } catch {
            throw .system(error)
        }
    }

    func find(_ search: inout OwnerSearch) throws(SystemError) {
        var output = try query()
        var line: [UInt8] = []
        while try output.next(into: &line) {
            guard let entry = Entry(line), search.wants(entry.path) else { continue }
            search.note(entry.path, entry.package)
            if let delivered = OwnerSearch.Delivered(entry.digits) {
                search.compare(entry.path, below: root, with: delivered)
            }
        }
        try output.finish()
    }
}
