public import AgentAPI
import Bytes
import Linux
import OpenSSL
import Synchronization

/// Configures, starts and stops the owner's application, one request at a time. Calls block, for as
/// long as the service manager takes, at most ``patience``.
public final class AppControl: Sendable {
    /// What was done, as the agent's journal has it.
    public typealias Journal = @Sendable (_ line: String) -> Void

    /// The longest configuration, in bytes.
    public static let configurationLimit = 1 << 20
    /// How long the service manager may take for one command, in milliseconds.
    static let patience: UInt64 = 120_000

    /// Which application.
    public let settings: AppSettings
    private let encryption: DiskEncryption
    private let journal: Journal
    /// Held while something is done.
    private let runner: Mutex<ServiceRunner>

    /// - Parameter journal: called after each action, also one that failed.
    public convenience init(_ settings: AppSettings, journal: @escaping Journal) {
        self.init(
            settings, ServiceRunner(settings), encryption: DiskEncryption(), journal: journal)
    }

    init(
        _ settings: AppSettings, _ runner: sending ServiceRunner, encryption: DiskEncryption,
        journal: @escaping Journal
    ) {
        self.settings = settings
        self.encryption = encryption
        self.journal = journal
        self.runner = Mutex(runner)
    }

    /// How the application is.
    public func status() throws(AppError) -> AppStatus {
        try runner.withLock { runner throws(AppError) in try status(&runner) }
    }

    /// Starts it; one that runs is left alone.
    public func start() throws(AppError) -> AppStatus {
        try act("app start") { runner throws(AppError) in try runner.start() }
    }

    /// Stops it.
    public func stop() throws(AppError) -> AppStatus {
        try act("app stop") { runner throws(AppError) in try runner.stop() }
    }

    /// Stops it where it runs, and starts it.
    public func restart() throws(AppError) -> AppStatus {
        try act("app restart") { runner throws(AppError) in try runner.restart() }
    }

    /// Replaces `app.conf` by `bytes`, whatever they mean, for root alone, and (re)starts the
    /// application.
    ///
    /// - Throws: `AppError.unencrypted` where the configuration would lie readable on a disk, unless the
    ///   settings allow that.
    public func initialise(_ bytes: [UInt8]) throws(AppError) -> AppStatus {
        try act("app init") { runner throws(AppError) in
            try write(bytes)
            try runner.restart()
        }
    }

    private func act(
        _ action: String, _ body: (inout ServiceRunner) throws(AppError) -> Void
    ) throws(AppError) -> AppStatus {
        try runner.withLock { runner throws(AppError) in
            do throws(AppError) {
                try body(&runner)
                let status = try status(&runner)
                journal("\(action): \(settings.name) is \(status.state)")
                return status
            } catch {
                journal("\(action): \(settings.name): \(error)")
                throw error
            }
        }
    }

    private func status(_ runner: inout ServiceRunner) throws(AppError) -> AppStatus {
        // Whoever may write in the folder shall not have this wait for a pipe, or tell of another file.
        let content = try? ConfinedDirectory(settings.storage).read(
            [AppSettings.configurationName], atMost: Self.configurationLimit)
        return AppStatus(
            serviceType: settings.type.rawValue, serviceName: settings.name,
            state: try runner.state().rawValue,
            configurationDigest: content.map { OpenSSLHashing().sha256($0).hex })
    }

    private func write(_ bytes: [UInt8]) throws(AppError) {
        guard bytes.count <= Self.configurationLimit else {
            throw .tooLong(count: bytes.count, limit: Self.configurationLimit)
        }
        try tried { () throws(SystemError) in
            try File.makeDirectories(settings.storage, mode: 0o700)
        }
        if !settings.allowsUnencrypted, let problem = encryption.problem(below: settings.storage) {
            throw .unencrypted(problem: problem)
        }
        try tried { () throws(SystemError) in
            try File.writeAtomically(settings.configuration, bytes)
        }
    }

    private func tried(_ body: () throws(SystemError) -> Void) throws(AppError) {
        do throws(SystemError) {
            try body()
        } catch {
            throw .system(error)
        }
    }
}
