import Linux

/// Where the files of a package really are: packages say `/bin/x` where `/bin` is a link to `usr/bin`, and
/// a diversion gives a file another name.
struct DebianPaths: Sendable {
    private struct Diversion {
        let target: [UInt8]
        /// The package that the diversion leaves alone; `:` for none.
        let owner: [UInt8]
    }

    private static let links = ["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"]

    /// Beginnings such as `/bin/` that are to become `/usr/bin/`.
    private let merged: [[UInt8]]
    private var diversions: [[UInt8]: Diversion] = [:]

    init(root: String) throws(SystemError) {
        merged = Self.links.filter { name in
            let target = File.linkTarget("\(root)/\(name)")
            return target == "usr/\(name)" || target == "/usr/\(name)"
        }.map { Array("/\($0)/".utf8) }
        let file: FileDescriptor
        do throws(SystemError) {
            file = try FileDescriptor("\(root)/var/lib/dpkg/diversions", .read)
        } catch {
            guard error.isNotFound else { throw error }
            return
        }
        var lines = LineReader(file, maximumLine: DebianPackages.maximumLine)
        var (path, target, owner): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
        while try lines.next(into: &path), try lines.next(into: &target),
            try lines.next(into: &owner)
        {
            diversions[path] = Diversion(target: target, owner: owner)
        }
    }

    /// Where the file is that `package` calls `path`.
    func actual(_ path: [UInt8], of package: String) -> [UInt8] {
        var path = path
        if let diversion = diversions[path], !diversion.owner.elementsEqual(package.utf8) {
            path = diversion.target
        }
        guard merged.contains(where: { path.starts(with: $0) }) else { return path }
        return Array("/usr".utf8) + path
    }
}
