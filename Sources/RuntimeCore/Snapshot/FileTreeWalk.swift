import Evidence
import Linux

/// Goes through a tree of directories and shows each regular file.
///
/// Everything is opened relative to its directory and without following links, so whoever swaps names
/// meanwhile cannot lead the walk elsewhere. File systems that are no disk's are not entered, but for the one
/// that the walk begins in.
struct FileTreeWalk: ~Copyable {
    /// Directories within each other; deeper ones are skipped. Each holds a descriptor open.
    private static let maximumDepth = 256

    private let excluded: Set<[UInt8]>
    private let progress: SnapshotProgress
    private var path: [UInt8] = []
    private var ancestors: [DirectoryStream.Identity] = []

    /// Plans a walk that leaves out the paths `excluded`.
    init(excluded: [String], progress: SnapshotProgress) {
        self.excluded = Set(excluded.map { Array($0.utf8) })
        self.progress = progress
    }

    /// Goes through all below `root`, an absolute path.
    ///
    /// - Parameter visit: takes each file and its path.
    mutating func run(
        _ root: String,
        _ visit: (borrowing FileDescriptor, [UInt8]) throws(SnapshotFault) -> Void
    ) throws(SnapshotFault) {
        let directory = try SnapshotFault.wrapping { () throws(SystemError) in
            try DirectoryStream(root)
        }
        path = root == "/" ? [] : Array(root.utf8)
        try walk(directory, visit)
    }

    private mutating func walk(
        _ directory: borrowing DirectoryStream,
        _ visit: (borrowing FileDescriptor, [UInt8]) throws(SnapshotFault) -> Void
    ) throws(SnapshotFault) {
        ancestors.append(directory.identity)
        defer { ancestors.removeLast() }
        let length = path.count
        var name: [CChar] = []
        while !progress.isCancelled {
            guard let kind = next(in: directory, &name) else { return }
            path.append(UInt8(ascii: "/"))
            for character in name.dropLast() { path.append(UInt8(bitPattern: character)) }
            if !excluded.contains(path) {
                switch kind {
                case .other: break
                case .regular:
                    if let file = file(name, in: directory) { try visit(file, path) }
                case .directory:
                    if let child = child(name, of: directory) { try walk(child, visit) }
                }
            }
            path.removeLast(path.count - length)
        }
        throw .cancelled
    }

    /// The next entry; nil at the end, or where the directory cannot be read any further.
    private func next(
        in directory: borrowing DirectoryStream, _ name: inout [CChar]
    ) -> DirectoryStream.Kind? {
        do throws(SystemError) {
            return try directory.next(into: &name)
        } catch {
            progress.skip(path, error.reason)
            return nil
        }
    }

    private func file(
        _ name: [CChar], in directory: borrowing DirectoryStream
    ) -> FileDescriptor? {
        guard path.count <= SnapshotPath.maximumByteCount else {
            progress.skip(path, "longer than \(SnapshotPath.maximumByteCount) bytes")
            return nil
        }
        do throws(SystemError) {
            return try directory.openFile(name)
        } catch {
            note(error)
            return nil
        }
    }

    /// A directory that is to be entered; nil for one that is not.
    private func child(
        _ name: [CChar], of directory: borrowing DirectoryStream
    ) -> DirectoryStream? {
        guard ancestors.count < Self.maximumDepth else {
            progress.skip(path, "deeper than \(Self.maximumDepth) directories")
            return nil
        }
        do throws(SystemError) {
            switch try directory.place(of: name) {
            case .disk(let device):
                let child = try DirectoryStream(name, in: directory)
                guard child.identity.device == device else {
                    progress.skip(path, "another one was mounted meanwhile")
                    return nil
                }
                // A bind mount of a directory within itself has no end.
                guard !ancestors.contains(child.identity) else { return nil }
                return child
            case .automount: progress.skip(path, "is mounted only when it is used")
            case .cover: progress.skip(path, SnapshotProgress.covered)
            case .other: break
            }
            return nil
        } catch {
            note(error)
            return nil
        }
    }

    /// Counts what could not be opened, unless it is gone, or is no longer what it was.
    private func note(_ error: SystemError) {
        guard !error.isNotFound, !error.isLink, !error.isNoDevice || error.isForbidden else {
            return
        }
        progress.skip(path, error.reason)
    }
}
