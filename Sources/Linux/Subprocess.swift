import CLinux
import Glibc

/// A program that this process has started, without a shell, in a session of its own.
///
/// It gets no environment but what is given, no signals of this process's terminal, and nothing to read.
public final class Subprocess: Sendable {
    /// What became of a program that was run to its end.
    public struct Result: Equatable, Sendable {
        /// Its exit status, or 128 and the number of the signal that ended it.
        public let status: Int32
        /// The first bytes of its standard output and error.
        public let output: [UInt8]
    }

    /// The environment of programs that need none.
    public static let plainEnvironment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
    ]

    /// Its number, and that of its process group.
    public let id: Int32

    /// Starts the program at the path that `arguments` begin with; its output is this process's own.
    public convenience init(
        starting arguments: [String], environment: [String] = plainEnvironment
    ) throws(SystemError) {
        try self.init(arguments, environment, output: -1)
    }

    init(
        _ arguments: [String], _ environment: [String], output: Int32
    ) throws(SystemError) {
        guard let program = arguments.first else {
            throw SystemError(call: "posix_spawn", subject: "", code: EINVAL)
        }
        var started: pid_t = 0
        let code = unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(environment) { envp in
                unsafe bootgate_spawn(argv, envp, output, &started)
            }
        }
        guard code == 0 else { throw SystemError(call: "exec", subject: program, code: code) }
        id = started
    }

    /// Runs a program to its end; one that takes longer than `milliseconds` is killed, with
    /// everything that it started.
    ///
    /// - Throws: `ETIMEDOUT` for one that was killed.
    public static func run(
        _ arguments: [String], environment: [String] = plainEnvironment,
        outputAtMost limit: Int = 4096, milliseconds: UInt64
    ) throws(SystemError) -> Result {
        var ends: [Int32] = [-1, -1]
        guard unsafe bootgate_pipe(&ends) == 0 else { throw .current("pipe") }
        let reading = FileDescriptor(owning: ends[0])
        let program: Subprocess
        do {
            let writing = FileDescriptor(owning: ends[1])
            program = try Subprocess(arguments, environment, output: writing.rawValue)
        }
        let end = Clock.monotonicMilliseconds + milliseconds
        var output: [UInt8] = []
        while true {
            // What it started may keep the pipe open for ever, so its own end is what counts.
            let status = program.exitStatus()
            while let part = try? reading.read(upTo: 4096), !part.isEmpty {
                output += part.prefix(limit - output.count)
            }
            if let status { return Result(status: status, output: output) }
            guard Clock.monotonicMilliseconds < end else {
                program.kill()
                throw SystemError(call: "wait", subject: arguments[0], code: ETIMEDOUT)
            }
            Clock.sleep(milliseconds: 10)
        }
    }

    /// How it ended; nil as long as it runs. To be asked by one thread at a time, and no more after it
    /// has answered.
    public func exitStatus() -> Int32? {
        var status: Int32 = 0
        switch unsafe bootgate_reap(id, &status) {
        case 0: return nil
        case 1: return status
        // Somebody else has waited for it.
        default: return 255
        }
    }

    /// Asks it and what it started to end, and kills whatever is left after `milliseconds`.
    public func stop(milliseconds: UInt64) {
        let end = Clock.monotonicMilliseconds + milliseconds
        Glibc.kill(-id, SIGTERM)
        while Clock.monotonicMilliseconds < end {
            if exitStatus() != nil { break }
            Clock.sleep(milliseconds: 10)
        }
        kill()
    }

    private func kill() {
        Glibc.kill(-id, SIGKILL)
        while exitStatus() == nil { Clock.sleep(milliseconds: 10) }
    }
}

/// A list of C strings that ends with a null pointer, for the duration of `body`.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
) -> Result {
    var copies = unsafe strings.map { unsafe UnsafePointer(strdup($0)) }
    unsafe copies.append(nil)
    defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
    return unsafe copies.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
}
