public import Linux

/// Why the application was not configured, started or stopped.
public enum AppError: Error, Equatable, Sendable {
    /// A setting of `[app]` that nothing can be done with.
    case unusable(setting: String, expected: String)
    /// The configuration is longer than it may be; bytes.
    case tooLong(count: Int, limit: Int)
    /// The configuration would lie readable on a disk of the host's.
    case unencrypted(problem: String)
    /// A file, or the program that starts services.
    case system(SystemError)
    /// The program that starts services refused; its exit status, and what it said first.
    case refused(command: String, status: Int32, output: String)
}

extension AppError: CustomStringConvertible {
    /// One line: what was asked, what is wrong, and what to do where that is known.
    public var description: String {
        switch self {
        case .unusable(let setting, let expected): "\(setting): expected \(expected)"
        case .tooLong(let count, let limit):
            "the configuration has \(count) bytes, at most \(limit) are taken"
        case .unencrypted(let problem):
            "\(problem); mount an encrypted one there, or set allow_unencrypted = true in [app]"
        case .system(let error): error.description
        case .refused(let command, let status, let output):
            "\(command): exit status \(status)" + (output.isEmpty ? "" : ": \(output)")
        }
    }
}
