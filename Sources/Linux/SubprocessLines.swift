import CLinux
import Glibc

/// A program that runs for the lines that it writes; it is killed when the value dies.
///
/// Lines on its standard error come among the others.
public struct SubprocessLines: ~Copyable {
    private let path: String
    private let patience: Int32
    private let program: Subprocess
    private var lines: LineReader
    private var hasEnded = false

    /// Starts the program at the path that `arguments` begin with.
    ///
    /// - Parameter maximumLine: the longest line that it may write, in bytes.
    /// - Parameter patience: for how many milliseconds it may be silent.
    public init(
        of arguments: [String], maximumLine: Int, patience: Int32
    ) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe bootgate_pipe(&ends) == 0 else { throw .current("pipe") }
        let reading = FileDescriptor(owning: ends[0])
        let writing = FileDescriptor(owning: ends[1])
        program = try Subprocess(
            arguments, Subprocess.plainEnvironment, output: writing.rawValue)
        lines = LineReader(reading, maximumLine: maximumLine, patience: patience)
        path = arguments[0]
        self.patience = patience
    }

    deinit {
        // Once it has ended, its number may be another's.
        if !hasEnded { program.stop(milliseconds: 0) }
    }

    /// Puts the next line into `line`; false behind the last one.
    public mutating func next(into line: inout [UInt8]) throws(SystemError) -> Bool {
        try lines.next(into: &line)
    }

    /// Waits for the program's end, behind its last line.
    ///
    /// - Throws: any exit status but 0, and `ETIMEDOUT` for a program that goes on.
    public mutating func finish() throws(SystemError) {
        let end = Clock.monotonicMilliseconds + UInt64(max(0, patience))
        while !hasEnded {
            if let status = program.exitStatus() {
                hasEnded = true
                guard status == 0 else {
                    throw SystemError(call: "exit status \(status)", subject: path, code: 0)
                }
            } else {
                guard Clock.monotonicMilliseconds < end else {
                    throw SystemError(call: "wait", subject: path, code: ETIMEDOUT)
                }
                Clock.sleep(milliseconds: 10)
            }
        }
    }
}
