import Bytes
import Dispatch
import Glibc
import Linux
import Synchronization
import Testing

/// A directory of its own for one test, removed with its files at the end.
final class Scratch {
    let path = "/tmp/bootgate-test-\(Hex.encode(Random.bytes(8)))"

    init() throws { try File.makeDirectory(path, mode: 0o700) }

    deinit {
        for name in (try? File.names(in: path)) ?? [] { try? File.remove("\(path)/\(name)") }
        try? File.removeDirectory(path)
    }
}

@Suite("Whole files")
struct FileTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("an atomic write leaves the content and nothing else")
    func atomicWrite() throws {
        let path = "\(scratch.path)/state"
        try File.writeAtomically(path, [1, 2, 3])
        try File.writeAtomically(path, [4])
        #expect(try File.read(path, atMost: 10) == [4])
        #expect(try File.names(in: scratch.path) == ["state"])
    }

    @Test("a file of exactly the limit is read, one byte more is refused")
    func limit() throws {
        let path = "\(scratch.path)/blob"
        try File.writeAtomically(path, Array(repeating: 7, count: 70_000))
        #expect(try File.read(path, atMost: 70_000).count == 70_000)
        #expect(throws: SystemError.self) { try File.read(path, atMost: 69_999) }
    }

    @Test("directories are made by several at once, and a file in the way is an error")
    func directories() throws {
        let faults = Mutex<[SystemError]>([])
        for round in 0..<100 {
            let path = "\(scratch.path)/a/\(round)"
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                do throws(SystemError) {
                    try File.makeDirectories(path)
                } catch {
                    faults.withLock { $0.append(error) }
                }
            }
            try File.removeDirectory(path)
            try File.removeDirectory("\(scratch.path)/a")
        }
        #expect(faults.withLock { $0 } == [])
        try File.writeAtomically("\(scratch.path)/file", [])
        #expect(throws: SystemError.self) { try File.makeDirectories("\(scratch.path)/file/b") }
        let link = "\(scratch.path)/link"
        try #require(unsafe symlink("\(scratch.path)/nowhere", link) == 0)
        #expect(throws: SystemError.self) { try File.makeDirectories(link) }
    }

    @Test("a secret file is read without its bytes passing through an array")
    func secret() throws {
        let path = "\(scratch.path)/key"
        let key = Random.secret(32)
        try File.writeSecretAtomically(path, key)
        let again = try File.readSecret(path, atMost: 32)
        let isSame = again.isEqual(to: key)
        #expect(isSame)
        #expect(throws: SystemError.self) { _ = try File.readSecret(path, atMost: 31) }
    }

    @Test("a missing file says so, with its path")
    func missing() throws {
        do {
            _ = try File.read("\(scratch.path)/none", atMost: 1)
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.isNotFound)
            #expect(error.description.hasPrefix("\(scratch.path)/none: open: "))
        }
    }

    @Test("a memory file can be read by path and no longer be written")
    func memoryFile() throws {
        let file = try MemoryFile(name: "test", [9, 8, 7])
        #expect(try File.read(file.path, atMost: 3) == [9, 8, 7])
        #expect(throws: SystemError.self) { try File.writeAttribute(file.path, [1]) }
    }

    @Test("a passphrase on a descriptor loses one newline and no more")
    func passphrase() throws {
        let path = "\(scratch.path)/passphrase"
        try File.writeAtomically(path, Array("open\n\n".utf8))
        let file = try FileDescriptor(path, .read)
        let passphrase = try Terminal.readPassphrase(descriptor: file.rawValue)
        let count = passphrase.count
        #expect(count == 5)
    }

    @Test("shared memory is seen by whoever maps the same file")
    func sharedMemory() throws {
        let path = "\(scratch.path)/shm"
        let one = try SharedMemory(path, count: 8192, create: true)
        let other = try SharedMemory(path, count: 8192)
        one[word: 4] = 0x0102_0304
        #expect(other.read(at: 4, count: 4) == [4, 3, 2, 1])
    }
}
