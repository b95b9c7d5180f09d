import Protocol

/// How a launch ended.
enum Ending: Equatable {
    /// The volume is open and the broker knows, or will know.
    case opened
    /// The broker said no.
    case refused(reference: String)
    /// No broker answered for as long as gate.conf allows.
    case unreachable
    /// A key came and the disk did not open, or the disk itself is unusable.
    case notOpened(String)
    /// The launch stopped before any network; what is missing or wrong.
    case stopped(Stop, String)

    /// Why a launch cannot even begin.
    enum Stop: Equatable {
        /// gate.conf, kernel command line or disk.
        case unusableInput
        /// No secure processor, no randomness.
        case unavailable
        /// A mistake of ours or a broken system.
        case internalError
    }

    /// The exit status of design: the same in every program.
    var exitStatus: Int32 {
        switch self {
        case .opened: 0
        case .refused, .notOpened: 1
        case .stopped(.unusableInput, _): 2
        case .unreachable, .stopped(.unavailable, _): 69
        case .stopped(.internalError, _): 70
        }
    }

    /// What gate.conf wants done now; without a trusted gate.conf the machine goes off.
    func action(_ config: GateConfig?) -> GateConfig.FailureAction? {
        switch self {
        case .opened: nil
        case .refused: config?.onRefused ?? .poweroff
        case .unreachable: config?.onUnreachable ?? .poweroff
        case .notOpened: config?.onOpenFailure ?? .poweroff
        case .stopped: .poweroff
        }
    }

    /// One word for the report.
    var word: String {
        switch self {
        case .opened: "opened"
        case .refused: "refused"
        case .unreachable: "unreachable"
        case .notOpened: "not opened"
        case .stopped: "stopped"
        }
    }

    /// The line for the person at the console, without the broker's finding.
    var line: String {
        switch self {
        case .opened: "root disk open"
        case .refused(let reference):
            "refused, reference \(reference); ask the owner of this VM"
        case .unreachable: "no broker answered"
        case .notOpened(let why): "the root disk stays shut: \(why)"
        case .stopped(_, let why): why
        }
    }
}

extension GateConfig.FailureAction {
    /// What follows, as the last words on the console.
    var words: String {
        switch self {
        case .retry: "Trying again"
        case .poweroff: "Powering off"
        case .reboot: "Rebooting"
        }
    }
}
