import AgentAPI
import Bytes
import Evidence
import Foundation
import Glibc
import Linux
import OpenSSL
import RuntimeCore
import TestSupport
import Testing

/// A plan for the folder `root`, without a log and without packages.
func plan(_ root: String) -> SnapshotPlan {
    var plan = SnapshotPlan(
        header: SnapshotHeader(tpmPolicy: .init(resetCount: 15, restartCount: 0)),
        details: SnapshotDetails(
            vm: "web-1", hostName: "web", bootID: "5a3f", time: 1_764_320_000, hash: .sha1,
            excluded: ["nobody looks here"], skipped: 77))
    plan.root = root
    plan.imaLog = root + "/no-log"
    plan.packages = nil
    return plan
}

/// The finished snapshot of a job, as whoever fetches it has it.
struct Fetched {
    struct Missing: Error { let status: SnapshotStatus }

    let bytes: [UInt8]
    let size: Int64
    let digest: FixedBytes<32>

    init(from job: SnapshotJob) throws {
        guard let open = try job.open() else { throw Missing(status: job.status) }
        bytes = try open.file.readToEnd(atMost: 1 << 26)
        size = open.size
        digest = open.digest
    }
}

/// Waits until no thread is at work.
func wait(for job: SnapshotJob) -> SnapshotStatus {
    while job.isBusy { Clock.sleep(milliseconds: 2) }
    return job.status
}

@Suite("The making of a snapshot")
struct SnapshotJobTests {
    private let files: TemporaryTree
    private let own: TemporaryTree
    private let job: SnapshotJob

    init() throws {
        files = try TemporaryTree()
        own = try TemporaryTree()
        job = SnapshotJob(folder: AgentFolder(root: own.path))
    }

    /// Makes a snapshot, and reads it as whoever fetches it does.
    private func make(_ plan: SnapshotPlan) throws -> Snapshot {
        try job.start(plan)
        let status = wait(for: job)
        #expect(status.state == .done, "\(status.problem ?? "-")")
        let fetched = try Fetched(from: job)
        #expect(Int64(fetched.bytes.count) == fetched.size)
        #expect(status.size == fetched.size)
        #expect(OpenSSLHashing().sha256(fetched.bytes) == fetched.digest)
        #expect(status.digest == fetched.digest.hex)
        #expect(job.digest == fetched.digest)
        return try Snapshot(parsing: fetched.bytes)
    }

    private func has(_ snapshot: Snapshot, _ path: String, _ digest: [UInt8]) -> Bool {
        let name = Array(path.utf8)
        return snapshot.allows(
            name + digest, name: 0..<name.count, digest: name.count..<name.count + digest.count)
    }

    @Test("has every regular file with its digest, and nothing else")
    func regularFiles() throws {
        try files.write("a", "A")
        try files.write("empty", "")
        try files.write("deep/er/b c", "B")
        try files.write("exactly", [UInt8](repeating: 1, count: 256 * 1024))
        try files.write("big", [UInt8](repeating: 7, count: 700_001))
        try files.writeSparse("sparse", size: 1 << 24)
        let raw: [CChar] = Array(files("").utf8CString.dropLast()) + [-1, 0x61, 0]
        unsafe close(creat(raw, 0o600))
        try FileManager.default.createSymbolicLink(
            atPath: files("link"), withDestinationPath: files("a"))
        try FileManager.default.createSymbolicLink(
            atPath: files("deep/up"), withDestinationPath: files.path)
        #expect(unsafe mkfifo(files("fifo"), 0o600) == 0)
        try files.write("left/out", "C")
        try files.write("kept/out", "D")
        var plan = plan(files.path)
        plan.excluded = [files("left"), files("kept/out")]
        let snapshot = try make(plan)
        #expect(snapshot.files?.count == 7)
        #expect(has(snapshot, files("a"), sha256("A")))
        #expect(has(snapshot, files("empty"), sha256("")))
        #expect(has(snapshot, files("deep/er/b c"), sha256("B")))
        #expect(has(snapshot, files("_a"), sha256("")))
        for name in ["exactly", "big", "sparse"] {
            let digest = OpenSSLHashing().sha256(try files.bytes(name)).bytes
            #expect(has(snapshot, files(name), digest), "\(name)")
        }
        #expect(job.status.files == 7)
        #expect(job.status.bytes == 2 + 262_144 + 700_001 + 1 << 24)
        #expect(job.status.skipped == 0)
    }

    @Test("says what it was told, what it left out, and what it found")
    func details() throws {
        try files.write("a", "A")
        let snapshot = try make(plan(files.path))
        #expect(snapshot.header.tpmPolicy == .init(resetCount: 15, restartCount: 0))
        let details = try #require(snapshot.details)
        #expect(details.vm == "web-1")
        #expect(details.bootID == "5a3f")
        #expect(details.hash == .sha256)
        #expect(details.ima == nil)
        #expect(details.skipped == 0)
        #expect(details.excluded == SnapshotPlan.alwaysExcluded + [own.path])
    }

    @Test("has the files and buffers of the kernel's log first, and hashes as the kernel does")
    func kernelLog() throws {
        let sha512 = OpenSSLHashing().sha512([1]).bytes
        let digest = Array("sha512:".utf8) + [0] + sha512
        var violation = IMALogBuilder.Entry("/open", sha256: [UInt8](repeating: 0, count: 32))
        violation.templateHash = [UInt8](repeating: 0, count: 20)
        let log = IMALogBuilder([
            .init("boot_aggregate", sha256: sha256("boot")),
            .init("ima-ng", [digest, Array("/usr/bin/a b".utf8) + [0]], []),
            .init("ima-buf", [digest, Array("kexec-cmdline".utf8) + [0], [1, 2]], []),
            violation,
        ])
        let bytes = log.binary { OpenSSLHashing().digest(.sha1, $0) }
        try files.write("tree/a", "A")
        var plan = plan(files("tree"))
        plan.imaLog = try files.write("log", bytes)
        let snapshot = try make(plan)
        #expect(snapshot.details?.hash == .sha512)
        #expect(snapshot.details?.ima == .init(entries: 4, bytes: Int64(bytes.count)))
        #expect(snapshot.files?.count == 4)
        #expect(has(snapshot, "boot_aggregate", sha256("boot")))
        #expect(has(snapshot, "/usr/bin/a_b", sha512))
        #expect(has(snapshot, "kexec-cmdline", sha512))
        #expect(has(snapshot, files("tree/a"), OpenSSLHashing().sha512([0x41]).bytes))
    }

    @Test("fails where the kernel's log is cut short or is none, and says so")
    func brokenLog() throws {
        let log = IMALogBuilder([.init("boot_aggregate", sha256: sha256("boot"))])
        let bytes = log.binary { OpenSSLHashing().digest(.sha1, $0) }
        for broken in [Array(bytes.dropLast()), [1, 2, 3]] {
            var plan = plan(files.path)
            plan.imaLog = try files.write("log", broken)
            try job.start(plan)
            let status = wait(for: job)
            #expect(status.state == .failed)
            #expect(status.problem?.hasPrefix("the IMA log: ") == true)
            #expect(throws: Fetched.Missing.self) { try Fetched(from: job) }
        }
    }

    @Test("is made one at a time; a stopped one leaves nothing")
    func oneAtATime() throws {
        try files.writeSparse("endless", size: 1 << 42)
        try job.start(plan(files.path))
        #expect(throws: SnapshotFault.busy) { try job.start(plan(files.path)) }
        while job.status.bytes == 0 { Clock.sleep(milliseconds: 1) }
        #expect(job.status.state == .running)
        #expect((job.status.expectedFiles ?? 1) > 0)
        #expect(job.digest == nil)
        #expect(throws: Fetched.Missing.self) { try Fetched(from: job) }
        #expect(try leftovers.count == 1)
        job.stop()
        #expect(job.status.state == .none)
        #expect(wait(for: job).state == .none)
        #expect(try leftovers.isEmpty)
    }

    @Test("is gone once it was removed, and readable for whoever had it open")
    func removal() throws {
        try files.write("a", "A")
        _ = try make(plan(files.path))
        #expect(try leftovers == ["snapshot.json"])
        let mode = try FileManager.default.attributesOfItem(atPath: own("tmp/snapshot.json"))
        #expect(mode[.posixPermissions] as? Int == 0o600)
        guard let open = try job.open() else { throw Fetched.Missing(status: job.status) }
        job.stop()
        #expect(job.status.state == .none)
        #expect(job.digest == nil)
        #expect(try leftovers.isEmpty)
        #expect(try open.file.readToEnd(atMost: 1 << 20).count == Int(open.size))
        #expect(try make(plan(files.path)).files?.count == 1)
        #expect(job.status.state == .done)
    }

    @Test("leaves nothing that is served after the agent was killed", arguments: [false, true])
    func killed(isDone: Bool) async throws {
        try files.write("a", "A")
        try files.writeSparse("b/endless", size: 1 << 42)
        _ = await #expect(processExitsWith: .signal(SIGKILL)) {
            [root = files.path as String, folder = own.path as String, isDone = isDone as Bool] in
            let job = SnapshotJob(folder: AgentFolder(root: folder))
            var plan = plan(root)
            if isDone { plan.excluded = ["\(root)/b"] }
            try job.start(plan)
            while isDone ? job.status.state != .done : job.status.bytes < 1 << 20 {
                Clock.sleep(milliseconds: 1)
            }
            kill(getpid(), SIGKILL)
        }
        #expect(try leftovers.count == 1)
        #expect(try leftovers.first?.hasSuffix(isDone ? ".json" : ".new") == true)
        let next = SnapshotJob(folder: AgentFolder(root: own.path))
        #expect(next.status == SnapshotStatus(state: .none))
        #expect(throws: Fetched.Missing.self) { try Fetched(from: next) }
        #expect(try leftovers.isEmpty)
    }

    @Test("fails with a reason where its folder cannot be written, or the tree is not there")
    func failures() throws {
        try own.write("tmp", "a file")
        try job.start(plan(files.path))
        #expect(wait(for: job).problem?.contains("tmp") == true)
        #expect(job.status.state == .failed)
        try FileManager.default.removeItem(atPath: own("tmp"))
        try job.start(plan(files("gone")))
        #expect(wait(for: job).problem?.contains("No such file") == true)
        #expect(try leftovers.isEmpty)
        var unnamed = plan(files.path)
        unnamed.details.hostName = ""
        try job.start(unnamed)
        #expect(wait(for: job).problem?.contains("host_name") == true)
        try files.write("a", "A")
        #expect(try make(plan(files.path)).files?.count == 1)
    }

    @Test(
        "fails with the system's reason on a full disk, and works again after",
        .enabled(if: getuid() == 0))
    func fullDisk() throws {
        try FileManager.default.createDirectory(
            atPath: own("tmp"), withIntermediateDirectories: true)
        guard mount("none", at: own("tmp"), "tmpfs", 0, "size=16k") else { return }
        defer { unmount(own("tmp")) }
        for index in 0..<2000 { try files.write("file-\(index)", "x") }
        try job.start(plan(files.path))
        let status = wait(for: job)
        #expect(status.state == .failed)
        #expect(status.problem?.contains("No space left on device") == true)
        #expect(try leftovers.isEmpty)
        unmount(own("tmp"))
        #expect(try make(plan(files.path)).files?.count == 2000)
    }

    private var leftovers: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: own("tmp")) }
    }
}
