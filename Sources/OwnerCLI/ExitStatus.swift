/// What the program's end says, the same in every command.
enum ExitStatus: Int32 {
    /// Yes: done, released, accepted.
    case success = 0
    /// No: refused or held.
    case refused = 1
    /// The input cannot be used: a file, a name, a passphrase.
    case unusableInput = 2
    /// The command line is wrong.
    case usage = 64
    /// The broker or another service cannot be reached.
    case unavailable = 69
    /// A fault of the program or of the broker.
    case `internal` = 70
}

/// Why a command ended, for a person: what is wrong, and what to do next.
struct Failure: Error, Equatable {
    let status: ExitStatus
    let message: String
    let next: String?

    init(_ status: ExitStatus, _ message: String, next: String? = nil) {
        self.status = status
        self.message = message
        self.next = next
    }
}
