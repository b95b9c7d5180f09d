import Bytes
import Linux
import Testing

@testable import RuntimeCore

@Suite("The kernel's IMA log")
struct IMALogTests {
    private let folder: ScratchFolder
    private var log: IMALog { IMALog(securityfs: folder.path) }

    init() throws {
        folder = try ScratchFolder()
    }

    @Test("it is read from any byte on, in stretches, to the end that it has now")
    func stretches() throws {
        let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let path = try folder.put("ima/binary_runtime_measurements", content)
        #expect(log.exists)
        let file = try log.open(.binary)
        var read: [UInt8] = []
        while true {
            let part = try file.read(at: 1000 + UInt64(read.count), upTo: 4096)
            #expect(part.count <= 4096)
            if part.isEmpty { break }
            read += part
        }
        #expect(read == Array(content[1000...]))
        // The kernel's list grows while it is open.
        let bigger = try FileDescriptor(path, .readWrite)
        try bigger.write(content + [1, 2, 3])
        #expect(try file.read(at: UInt64(content.count)) == [1, 2, 3])
        #expect(try file.read(at: .max) == [])
    }

    @Test("both forms are there by the kernel's names, and the count is a number")
    func names() throws {
        #expect(!log.exists)
        #expect(throws: SystemError.self) { _ = try log.open(.ascii) }
        try folder.put("ima/ascii_runtime_measurements", "10 00 ima-ng sha256:00 boot_aggregate\n")
        #expect(try log.open(.ascii).read(at: 0, upTo: 5) == Array("10 00".utf8))
        try folder.put("ima/runtime_measurements_count", "4711\n")
        #expect(try log.count() == 4711)
        for wrong in ["", "-1\n", "many\n"] {
            try folder.put("ima/runtime_measurements_count", wrong)
            #expect(throws: SystemError.self) { _ = try log.count() }
        }
    }

    @Test(
        "which bank the aggregate of the boot stands for shows in its first entry",
        arguments: [
            ("10 aa ima-ng sha256:bb boot_aggregate\n", false),
            ("10 aa ima-ng sha1:bb boot_aggregate\n", true),
            ("10 aa ima bb boot_aggregate\n", true),
            ("", false),
        ])
    func aggregate(text: String, isSHA1: Bool) throws {
        try folder.put("ima/ascii_runtime_measurements", text)
        #expect(log.isAggregatedBySHA1 == isSHA1)
    }
}
