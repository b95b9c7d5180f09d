import Linux

/// Whoever starts and stops the application. Every command is a list of words; there is no shell.
struct ServiceRunner {
    /// How a service is.
    enum State: String {
        case running, stopped, failed, unknown
    }

    /// How long a program of the agent's own may take to end before it is killed, in milliseconds.
    private static let stopPatience: UInt64 = 10_000

    let settings: AppSettings
    /// The path of `systemctl` or `supervisorctl`.
    let tool: String
    /// What the agent itself has started.
    private var program: Subprocess?
    private var hasFailed = false

    /// - Parameter tool: for tests, instead of the one that the distribution installs.
    init(_ settings: AppSettings, tool: String? = nil) {
        self.settings = settings
        let name = settings.type == .systemd ? "systemctl" : "supervisorctl"
        self.tool =
            tool ?? ["/usr/bin/\(name)", "/usr/local/bin/\(name)", "/bin/\(name)"]
            .first(where: File.exists) ?? "/usr/bin/\(name)"
    }

    mutating func start() throws(AppError) {
        switch settings.type {
        case .systemd: try command("start")
        case .supervisor:
            // It refuses to start what runs.
            if try state() != .running { try command("start") }
        case .standalone:
            guard try state() != .running else { return }
            do throws(SystemError) {
                program = try Subprocess(
                    starting: [settings.name],
                    environment: Subprocess.plainEnvironment
                        + ["BOOTGATE_APP_CONF=\(settings.configuration)"])
                hasFailed = false
            } catch {
                throw .system(error)
            }
        }
    }

    mutating func stop() throws(AppError) {
        switch settings.type {
        case .systemd: try command("stop")
        case .supervisor: if try state() == .running { try command("stop") }
        case .standalone:
            program?.stop(milliseconds: Self.stopPatience)
            program = nil
            hasFailed = false
        }
    }

    mutating func restart() throws(AppError) {
        guard settings.type != .systemd else { return try command("restart") }
        try stop()
        try start()
    }

    mutating func state() throws(AppError) -> State {
        switch settings.type {
        case .systemd:
            let answer = try run("is-active")
            switch answer.text.prefix(while: { !$0.isWhitespace }) {
            case "active", "reloading", "activating", "refreshing": return .running
            case "inactive", "deactivating": return .stopped
            case "failed": return .failed
            default: return .unknown
            }
        case .supervisor:
            // `web RUNNING pid 12, uptime 0:00:05`
            let words = try run("status").text.split { $0 == " " || $0 == "\n" }
            guard words.count >= 2, words[0] == settings.name else { return .unknown }
            switch words[1] {
            case "RUNNING", "STARTING": return .running
            case "STOPPED", "STOPPING", "EXITED": return .stopped
            case "FATAL", "BACKOFF": return .failed
            default: return .unknown
            }
        case .standalone:
            if let status = program?.exitStatus() {
                program = nil
                hasFailed = status != 0
            }
            return program != nil ? .running : hasFailed ? .failed : .stopped
        }
    }

    private func command(_ verb: String) throws(AppError) {
        let answer = try run(verb)
        guard answer.status == 0 else {
            let lines = answer.text.split(separator: "\n").prefix(3)
            throw .refused(
                command: "\(verb) \(settings.name)", status: answer.status,
                output: lines.joined(separator: "; "))
        }
    }

    private func run(_ verb: String) throws(AppError) -> (status: Int32, text: String) {
        let options = settings.type == .systemd ? ["--no-ask-password", "--no-pager"] : []
        do throws(SystemError) {
            let result = try Subprocess.run(
                [tool] + options + [verb, settings.name], milliseconds: AppControl.patience)
            // What a program says goes to a journal and to an owner's terminal.
            let text = result.output.map {
                $0 == UInt8(ascii: "\n") || (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?")
            }
            return (result.status, String(decoding: text, as: UTF8.self))
        } catch {
            throw .system(error)
        }
    }
}
