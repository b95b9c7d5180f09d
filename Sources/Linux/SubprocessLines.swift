import CLinux

/// A program that runs for the lines that it writes; it is killed when the value dies.
///
/// Lines on its standard error come among the others.
public struct SubprocessLines: ~Copyable {
    private let program: Subprocess
    private var lines: LineReader

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
    }

    deinit {
        program.stop(milliseconds: 0)
    }

    /// Puts the next line into `line`; false behind the last one.
    public mutating func next(into line: inout [UInt8]) throws(SystemError) -> Bool {
        try lines.next(into: &line)
    }
}
