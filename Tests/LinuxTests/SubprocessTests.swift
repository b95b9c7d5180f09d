import Bytes
import Glibc
import Linux
import Synchronization
import Testing

private final class Flag: Sendable {
    let isSet = Mutex(false)
}

@Suite("Programs and threads that are started")
struct SubprocessTests {
    @Test("status and both outputs come back, and words arrive as they are")
    func result() throws {
        let result = try Subprocess.run(
            ["/bin/sh", "-c", "printf '%s' \"$1\"; echo err >&2; exit 3", "sh", "$(id) ; a b"],
            milliseconds: 60_000)
        #expect(result.status == 3)
        #expect(String(decoding: result.output, as: UTF8.self) == "$(id) ; a berr\n")
    }

    @Test("output beyond the limit is read and dropped, so that nothing waits for it")
    func limit() throws {
        let result = try Subprocess.run(
            ["/bin/sh", "-c", "head -c 300000 /dev/zero"], outputAtMost: 1000,
            milliseconds: 60_000)
        #expect(result.status == 0)
        #expect(result.output == [UInt8](repeating: 0, count: 1000))
    }

    @Test("a program that takes too long is killed with what it started")
    func timeout() throws {
        let before = Clock.monotonicMilliseconds
        #expect {
            _ = try Subprocess.run(
                ["/bin/sh", "-c", "trap '' TERM; sleep 600 & wait"], milliseconds: 100)
        } throws: { error in
            "\(error)".hasPrefix("/bin/sh: wait: Connection timed out")
        }
        #expect(Clock.monotonicMilliseconds - before < 300_000)
    }

    @Test("a child that keeps the output open does not hold up its parent's end")
    func daemon() throws {
        let result = try Subprocess.run(
            ["/bin/sh", "-c", "sleep 2 & echo done"], milliseconds: 60_000)
        #expect(String(decoding: result.output, as: UTF8.self) == "done\n")
    }

    @Test("the environment is what was given, and a missing program is an error")
    func environment() throws {
        let result = try Subprocess.run(
            ["/usr/bin/env"], environment: ["A=1"], milliseconds: 60_000)
        #expect(String(decoding: result.output, as: UTF8.self) == "A=1\n")
        #expect(throws: SystemError.self) {
            _ = try Subprocess.run(["/no/such/program"], milliseconds: 1000)
        }
        #expect(throws: SystemError.self) { _ = try Subprocess.run([], milliseconds: 1000) }
    }

    @Test("no file of this process is open in it")
    func descriptors() throws {
        // Without O_CLOEXEC, as a library may open one.
        let ours = dup(STDIN_FILENO)
        defer { close(ours) }
        let result = try Subprocess.run(["/bin/ls", "/proc/self/fd"], milliseconds: 60_000)
        // 3 is the directory itself.
        #expect(String(decoding: result.output, as: UTF8.self) == "0\n1\n2\n3\n")
    }

    @Test("one that was started runs until it is stopped, and ends by the signal")
    func started() throws {
        let program = try Subprocess(starting: ["/bin/sleep", "600"])
        #expect(program.exitStatus() == nil)
        program.stop(milliseconds: 5000)
        #expect(program.exitStatus() != nil)
    }

    @Test("a thread does its work beside its maker")
    func thread() throws {
        let done = Flag()
        try WorkerThread.start(name: "worker") { done.isSet.withLock { $0 = true } }
        for _ in 0..<6000 where !done.isSet.withLock({ $0 }) { Clock.sleep(milliseconds: 10) }
        #expect(done.isSet.withLock { $0 })
    }

    @Test("a new file takes no other's place, and leaves nothing behind when it cannot be made")
    func newFile() throws {
        let directory = "/tmp/bootgate-linux-\(Hex.encode(Random.bytes(8)))"
        try File.makeDirectory(directory, mode: 0o700)
        let path = "\(directory)/key"
        try File.writeNew(path, [1])
        #expect(throws: SystemError.self) { try File.writeNew(path, [2]) }
        let secret = Random.secret(8)
        do {
            try File.writeNewSecret(path, secret)
            Issue.record("a secret took another file's place")
        } catch {
            #expect(error.alreadyExists)
        }
        #expect(try File.read(path, atMost: 8) == [1])
        #expect(try File.names(in: directory) == ["key"])
        try File.remove(path)
        try File.writeNewSecret(path, secret)
        #expect(try FileStatus(of: FileDescriptor(path, .read)).mode == 0o600)
        try File.remove(path)
        try File.removeDirectory(directory)
    }
}
