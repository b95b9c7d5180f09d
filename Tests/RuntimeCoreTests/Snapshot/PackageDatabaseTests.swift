import AgentAPI
import Bytes
import Evidence
import Foundation
import Linux
import OpenSSL
import RuntimeCore
import Testing

@Suite("The package database")
struct PackageDatabaseTests {
    /// A small system with a merged /usr, two architectures, a diversion and a changed file.
    private static func debian() throws -> TemporaryTree {
        let tree = try TemporaryTree()
        func md5(_ text: String) -> String {
            var hash = RunningHash.md5()
            hash?.update(Array(text.utf8), count: text.utf8.count)
            return Hex.encode(hash?.finish() ?? [])
        }
        try tree.write("usr/bin/tool", "tool")
        try tree.write("usr/bin/changed", "other")
        try tree.write("usr/bin/tool.moved", "first")
        try tree.write("usr/lib/x/lib a.so", "library")
        try tree.write("etc/tool.conf", "edited")
        try FileManager.default.createSymbolicLink(
            atPath: tree("bin"), withDestinationPath: "usr/bin")
        let dpkg = "var/lib/dpkg"
        try tree.write(
            "\(dpkg)/status",
            """
            Package: tool
            Status: install ok installed
            Architecture: amd64
            Version: 1:2.0-1
            Conffiles:
             /etc/tool.conf \(md5("delivered"))
             /etc/old \(md5("x")) obsolete
            Description: a tool
             Package: no package, but a description

            Package: libx
            Status: hold ok installed
            Multi-Arch: same
            Architecture: amd64
            Version: 3

            Package: gone
            Status: deinstall ok config-files
            Architecture: all
            Version: 9

            Package: first
            Status: install ok unpacked
            Architecture: all
            Version: 4
            """)
        try tree.write(
            "\(dpkg)/info/tool.list",
            "/.\n/bin\n/bin/changed\n/bin/tool\n/etc\n/etc/tool.conf\n/usr\n/usr/share\n")
        try tree.write(
            "\(dpkg)/info/tool.md5sums", "\(md5("tool"))  bin/tool\n\(md5("mine"))  bin/changed\n")
        try tree.write(
            "\(dpkg)/info/libx:amd64.list", "/.\n/usr\n/usr/lib\n/usr/lib/x\n/usr/lib/x/lib a.so\n")
        try tree.write("\(dpkg)/info/libx:amd64.md5sums", "\(md5("library"))  usr/lib/x/lib a.so\n")
        try tree.write("\(dpkg)/info/gone.list", "/usr/bin/tool\n")
        try tree.write("\(dpkg)/info/first.list", "/bin/tool\n")
        try tree.write("\(dpkg)/info/first.md5sums", "\(md5("first"))  bin/tool\n")
        try tree.write("\(dpkg)/diversions", "/bin/tool\n/bin/tool.moved\ntool\n")
        return tree
    }

    @Test("of dpkg says whose a file is, where /bin is /usr/bin, and whether it is as delivered")
    func debianOwners() throws {
        let tree = try Self.debian()
        let database = PackageDatabase(root: tree.path, rpm: "/nonexistent")
        let answer = try database.owners(
            of: OwnersRequest(paths: [
                "/usr/bin/tool", "/usr/bin/changed", "/etc/tool.conf", "/usr/lib/x/lib_a.so",
                "/usr/bin/tool.moved", "/usr/bin/stranger", "/usr/bin/tool", "/etc/old",
            ]))
        typealias Owner = OwnersAnswer.Owner
        let tool = Owner(
            path: "/usr/bin/tool", package: "tool", version: "1:2.0-1", architecture: "amd64",
            isAsDelivered: true)
        var changed = tool
        changed.path = "/usr/bin/changed"
        changed.isAsDelivered = false
        var configuration = changed
        configuration.path = "/etc/tool.conf"
        #expect(
            answer.owners == [
                tool, changed, configuration,
                Owner(
                    path: "/usr/lib/x/lib_a.so", package: "libx", version: "3",
                    architecture: "amd64", isAsDelivered: true),
                Owner(
                    path: "/usr/bin/tool.moved", package: "first", version: "4",
                    architecture: "all", isAsDelivered: true),
                Owner(path: "/usr/bin/stranger"), tool, Owner(path: "/etc/old"),
            ])
    }

    @Test("of dpkg is in the snapshot: installed packages with the files where they really are")
    func debianPackages() throws {
        let tree = try Self.debian()
        var plan = plan(tree("usr"))
        plan.packages = PackageDatabase(root: tree.path, rpm: "/nonexistent")
        let packages = try snapshot(plan).packages
        #expect(packages.map(\.name) == ["tool", "libx", "first"])
        #expect(packages.first?.version == "1:2.0-1")
        #expect(packages.first?.manager == .dpkg)
        #expect(
            packages.first?.paths == [
                "/usr/bin/changed", "/usr/bin/tool", "/etc/tool.conf", "/usr/share",
            ])
        #expect(packages.dropFirst().first?.paths == ["/usr/lib/x/lib_a.so"])
        #expect(packages.last?.paths == ["/usr/bin/tool.moved"])
    }

    @Test(
        "of this machine knows its shell", .enabled(if: File.exists("/var/lib/dpkg/info/bash.list"))
    )
    func thisMachine() throws {
        let answer = try PackageDatabase(rpm: "/nonexistent").owners(
            of: OwnersRequest(paths: ["/usr/bin/bash", "/nonexistent"]))
        #expect(answer.owners.first?.package == "bash")
        #expect(answer.owners.first?.isAsDelivered == true)
        #expect(answer.owners.last == OwnersAnswer.Owner(path: "/nonexistent"))
    }

    @Test("of RPM is read from what its program writes")
    func rpm() throws {
        let tree = try TemporaryTree()
        try tree.write("usr/bin/tool", "tool")
        try tree.write("usr/bin/changed", "other")
        let digests = ["tool", "mine"].map { Hex.encode(sha256($0)) }
        let programs = try ScratchFolder()
        let program = try programs.program(
            "rpm",
            """
            [ "$1" = -qa ] && [ "$2" = --qf ] || exit 1
            printf '%s\\t%s\\t%s\\t%s\\t%s\\n' tool 2.0-1 x86_64 '' /usr/bin \\
                tool 2.0-1 x86_64 \(digests[0]) /usr/bin/tool \\
                tool 2.0-1 x86_64 \(digests[1]) /usr/bin/changed \\
                tool 3.0-1 x86_64 \(digests[1]) '/usr/share/a b' \\
                'wrong line'
            """)
        try tree.write("var/lib/rpm/rpmdb.sqlite", "")
        let database = PackageDatabase(root: tree.path, rpm: program)
        let answer = try database.owners(
            of: OwnersRequest(paths: ["/usr/bin/tool", "/usr/bin/changed", "/usr/bin"]))
        #expect(answer.owners.map(\.package) == ["tool", "tool", nil])
        #expect(answer.owners.map(\.isAsDelivered) == [true, false, nil])
        var plan = plan(tree("usr"))
        plan.packages = database
        let packages = try snapshot(plan).packages
        #expect(packages.map(\.version) == ["2.0-1", "3.0-1"])
        #expect(packages.map(\.manager) == [.rpm, .rpm])
        #expect(packages.last?.paths == ["/usr/share/a_b"])
    }

    @Test("of RPM is not taken for empty, or for whole, where its program fails")
    func failingRPM() throws {
        let tree = try TemporaryTree()
        let programs = try ScratchFolder()
        let program = try programs.program(
            "rpm", "printf 'tool\\t1\\tx86_64\\taa\\t/usr/bin/tool\\n'; exit 3")
        try tree.write("var/lib/rpm/rpmdb.sqlite", "")
        let database = PackageDatabase(root: tree.path, rpm: program)
        #expect {
            _ = try database.owners(of: OwnersRequest(paths: ["/usr/bin/tool"]))
        } throws: { error in
            "\(error)" == "\(program): exit status 3"
        }
        // A program without a database belongs to a machine of another package manager.
        let other = PackageDatabase(root: tree("own"), rpm: program)
        #expect(try other.owners(of: OwnersRequest(paths: ["/a"])).owners.first?.package == nil)
        let job = SnapshotJob(folder: AgentFolder(root: tree("own")))
        var plan = plan(try tree.write("files/a", "A").replacing("/a", with: ""))
        plan.packages = database
        try job.start(plan)
        let status = wait(for: job)
        #expect(status.state == .failed && status.problem?.contains("exit status 3") == true)
    }

    private func snapshot(_ plan: SnapshotPlan) throws -> Snapshot {
        let own = try TemporaryTree()
        let job = SnapshotJob(folder: AgentFolder(root: own.path))
        try job.start(plan)
        _ = wait(for: job)
        return try Snapshot(parsing: Fetched(from: job).bytes)
    }
}
