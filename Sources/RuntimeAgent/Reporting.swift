import Linux
import Logging
import OpenSSL
import RuntimeCore
import ServiceLifecycle
import Settings
import Synchronization
import UnixSignals

/// Reports to the broker while the agent runs.
final class Reporting: Service {
    private let settings: AgentSettings
    private let identity: ServedIdentity
    private let log: Logger
    private let reporter = Mutex<BrokerReporter?>(nil)

    init(_ settings: AgentSettings, _ identity: ServedIdentity, _ log: Logger) {
        self.settings = settings
        self.identity = identity
        self.log = log
    }

    func run() async throws {
        restart()
        try? await gracefulShutdown()
        reporter.withLock { $0?.stop() }
    }

    /// Goes on with the certificate that is served now.
    func restart() {
        guard settings.reportsToBroker else { return }
        let log = log
        let next = BrokerReporter(
            identity.now.evidence, interval: Double(settings.reportInterval),
            config: settings.gateConfiguration
        ) { line in log.info("report", metadata: ["result": "\(line)"]) }
        reporter.withLock { reporter in
            reporter?.stop()
            reporter = next
        }
        do {
            try next.start()
        } catch {
            log.error("no reports", metadata: ["reason": "\(error)"])
        }
    }
}

/// Reads the certificate anew on SIGHUP.
struct Reloading: Service {
    private let identity: ServedIdentity
    private let reporting: Reporting
    private let log: Logger

    init(_ identity: ServedIdentity, _ reporting: Reporting, _ log: Logger) {
        self.identity = identity
        self.reporting = reporting
        self.log = log
    }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                let served = try identity.reload()
                reporting.restart()
                log.info(
                    "certificate read anew",
                    metadata: ["certificate": "sha256:\(served.tls.certificateDigest)"])
            } catch {
                log.error(
                    "certificate not read anew; the old one stays",
                    metadata: ["reason": "\(error)"])
            }
        }
    }
}
