import Foundation
import Glibc
import Linux
import Testing

@Suite("Lines of a file or a program")
struct LineReaderTests {
    private func lines(_ bytes: [UInt8], maximumLine: Int = 100_000) throws -> [[UInt8]] {
        let path = NSTemporaryDirectory() + "bootgate-lines-\(UUID().uuidString)"
        try File.writeAtomically(path, bytes)
        defer { try? File.remove(path) }
        var reader = LineReader(try FileDescriptor(path, .read), maximumLine: maximumLine)
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        while try reader.next(into: &line) { lines.append(line) }
        return lines
    }

    @Test("are read whole, also across parts, empty ones too, and the last one without its end")
    func whole() throws {
        let long = [UInt8](repeating: 0x61, count: 70000)
        #expect(try lines(long + [0x0a, 0x0a, 0x62]) == [long, [], [0x62]])
        #expect(try lines([0x62, 0x0a]) == [[0x62]])
        #expect(try lines([]).isEmpty)
    }

    @Test("are refused when they are longer than they may be")
    func tooLong() {
        let error = #expect(throws: SystemError.self) {
            try lines([UInt8](repeating: 0x61, count: 11), maximumLine: 10)
        }
        #expect(error?.code == EMSGSIZE)
    }

    @Test("of a program come as it writes them")
    func program() throws {
        var program = try SubprocessLines(
            of: ["/bin/sh", "-c", "echo one; echo two; sleep 600"], maximumLine: 100,
            patience: 60_000)
        var line: [UInt8] = []
        for expected in ["one", "two"] {
            try #require(try program.next(into: &line))
            #expect(line == Array(expected.utf8))
        }
    }

    @Test("of a program that is silent for too long are given up")
    func silence() throws {
        var program = try SubprocessLines(
            of: ["/bin/sh", "-c", "sleep 600"], maximumLine: 100, patience: 200)
        var line: [UInt8] = []
        do throws(SystemError) {
            _ = try program.next(into: &line)
            Issue.record("it has ended")
        } catch {
            #expect(error.code == ETIMEDOUT)
        }
    }
}
