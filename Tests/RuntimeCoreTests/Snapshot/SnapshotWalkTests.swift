import AgentAPI
import Evidence
import Foundation
import Glibc
import Linux
import RuntimeCore
import Testing

@Suite("The walk of a snapshot")
struct SnapshotWalkTests {
    private let files: TemporaryTree
    private let own: TemporaryTree
    private let job: SnapshotJob

    init() throws {
        files = try TemporaryTree()
        own = try TemporaryTree()
        job = SnapshotJob(folder: AgentFolder(root: own.path))
    }

    private func make() throws -> (Snapshot, SnapshotStatus) {
        try job.start(plan(files.path))
        let status = wait(for: job)
        return (try Snapshot(parsing: Fetched(from: job).bytes), status)
    }

    @Test("skips what is too deep, and tells")
    func depth() throws {
        try files.write("a", "A")
        let deep = (0..<300).map { _ in "d" }.joined(separator: "/")
        try files.write("\(deep)/b", "B")
        let (snapshot, status) = try make()
        #expect(snapshot.files?.count == 1)
        #expect(snapshot.details?.skipped == 1)
        #expect(status.skipped == 1)
        #expect(status.firstSkipped?.first?.contains("deeper than") == true)
    }

    @Test("tells a file that is written to as long as it is read, and does not wait for it")
    func changing() throws {
        try files.write("a", "A")
        try files.writeSparse("log", size: 1 << 28)
        let writer = try FileDescriptor(files("log"), .write)
        try job.start(plan(files.path))
        while job.isBusy {
            try writer.write([0x78])
            Clock.sleep(milliseconds: 1)
        }
        #expect(job.status.state == .done)
        #expect(job.status.files == 1)
        #expect(job.status.firstSkipped == [files("log") + ": changes while it is read"])
    }

    @Test("goes on while files come and go")
    func vanishing() throws {
        for index in 0..<400 { try files.write("d\(index % 20)/\(index)", "\(index)") }
        try job.start(plan(files.path))
        var round = 0
        while job.isBusy {
            let folder = files("d\(round % 20)")
            try? FileManager.default.removeItem(atPath: folder)
            // Whole from the start: a file that is written to while it is read is another matter.
            _ = try? own.write("new", "x")
            _ = try? File.makeDirectories(folder)
            _ = try? File.rename(own("new"), to: "\(folder)/new")
            round += 1
            Clock.sleep(milliseconds: 1)
        }
        #expect(job.status.state == .done)
        #expect(job.status.skipped == 0, "\(job.status.firstSkipped ?? [])")
    }

    @Test("ends in a directory that is bound into itself", .enabled(if: getuid() == 0))
    func bindLoop() throws {
        try files.write("x/a", "A")
        try files.write("x/in/b", "B")
        let target = files("x/in")
        guard mount(files("x"), at: target, nil, UInt(MS_BIND)) else { return }
        defer { unmount(target) }
        let (snapshot, _) = try make()
        #expect(snapshot.files?.count == 1)
    }

    @Test("enters no file system that is no disk's", .enabled(if: getuid() == 0))
    func otherFileSystem() throws {
        try files.write("a", "A")
        try files.write("memory/b", "B")
        guard mount("none", at: files("memory"), "tmpfs", 0) else { return }
        defer { unmount(files("memory")) }
        try files.write("memory/c", "C")
        let (snapshot, _) = try make()
        #expect(snapshot.files?.count == 1)
    }

    @Test(
        "does not wait for a file system whose server does not answer",
        .enabled(if: getuid() == 0))
    func deadServer() throws {
        try files.write("a", "A")
        try files.write("dead/b", "B")
        // As a network's: nobody reads what the kernel asks by this descriptor.
        let server = unsafe open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard server >= 0 else { return }
        // Whoever waits for it is freed by this.
        defer { close(server) }
        let options = "fd=\(server),rootmode=40755,user_id=0,group_id=0"
        guard mount("none", at: files("dead"), "fuse", 0, options) else { return }
        defer { unmount(files("dead")) }
        try job.start(plan(files.path))
        for _ in 0..<60_000 where job.isBusy { Clock.sleep(milliseconds: 10) }
        try #require(!job.isBusy)
        #expect(job.status.state == .done && job.status.files == 1)
    }

    @Test(
        "tells what a service manager covers, a folder as well as a file",
        .enabled(if: getuid() == 0))
    func covered() throws {
        try files.write("a", "A")
        try files.write("modules/b", "B")
        try files.write("cover/file", "")
        guard mount("none", at: files("modules"), "tmpfs", 0, "mode=000") else { return }
        defer { unmount(files("modules")) }
        try #require(unsafe chmod(files("cover/file"), 0) == 0)
        let (snapshot, status) = try make()
        #expect(snapshot.files?.count == 1)
        let told = ["cover/file", "modules"].map {
            "\(files($0)): hidden from the agent, for example by its unit"
        }
        #expect(status.firstSkipped?.sorted() == told)
    }

    @Test("needs no more memory for many files than for few")
    func memory() async throws {
        for index in 0..<200 { try files.write("few/\(index)", "\(index)") }
        for index in 0..<6000 { try files.write("many/\(index / 100)/\(index)", "") }
        // In a process of its own, where no other test takes memory meanwhile.
        await #expect(processExitsWith: .success) {
            [root = files.path as String, folder = own.path as String] in
            let job = SnapshotJob(folder: AgentFolder(root: folder))
            try job.start(plan("\(root)/few"))
            #expect(wait(for: job).files == 200)
            let before = Linux.Process.peakResidentKiB
            try job.start(plan(root))
            #expect(wait(for: job).files == 6200)
            #expect(Linux.Process.peakResidentKiB - before < 16 * 1024)
        }
    }
}
