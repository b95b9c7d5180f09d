import Bytes
import Hummingbird
import HummingbirdCore
import Linux
import Logging
import NIOCore
import NIOPosix
import NetIO
import OpenSSL
import Protocol
import RuntimeCore
import ServiceLifecycle
import Settings
import UnixSignals

/// The daemon, put together from its settings.
struct Agent {
    /// How long requests may go on after SIGTERM, in seconds.
    private static let stopPatience = 10
    /// Connections wait here rather than being turned away at a burst.
    private static let backlog = 1024

    let settings: AgentSettings
    let log: Logger
    /// How long connections may take for what.
    var deadlines = HTTPDeadlines.Limits()
    let parts: AgentParts

    /// Makes or reads everything that serving needs.
    ///
    /// - Parameters:
    ///   - ima: for tests, instead of the kernel's log.
    ///   - discovery: for tests, instead of this machine's processor.
    init(
        _ settings: AgentSettings, ima: IMALog = IMALog(),
        discovery: @escaping RuntimeEvidence.Discovery = RuntimeEvidence.runningKernel
    ) throws {
        self.settings = settings
        log = Logger(label: "bootgate") { [level = settings.logLevel] _ in
            LineLog(logLevel: Logger.Level(rawValue: level) ?? .info)
        }
        parts = try AgentParts(settings, log, ima: ima, discovery: discovery)
    }

    /// Checks what can be checked without starting; writes nothing.
    static func check(_ settings: AgentSettings) throws {
        _ = try AgentParts.app(settings)
        // Where there is none yet, the first start makes one.
        guard File.exists(settings.certificate) else { return }
        _ = try ServedIdentity.read(settings, Host(), nil)
    }

    /// Serves until SIGTERM or SIGINT.
    func run() async throws {
        log.info(
            "starting",
            metadata: [
                "version": "\(AgentVersion.text)",
                "certificate": "sha256:\(parts.identity.now.tls.certificateDigest)",
                "vm": "\(parts.identity.vm?.description ?? "")",
            ])
        let reporting = Reporting(settings, parts.identity, log)
        let ending = Ending(patience: UInt64(Self.stopPatience + 1) * 1000) { [log] in
            log.warning("stopped, although something was still being done")
            Process.exit(0)
        }
        // The last one hears of the signal first.
        var configuration = ServiceGroupConfiguration(
            services: [server(), reporting, Reloading(parts.identity, reporting, log), ending],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: quietLog)
        configuration.maximumGracefulShutdownDuration = .seconds(Self.stopPatience)
        try await ServiceGroup(configuration: configuration).run()
        log.info("stopped")
    }

    /// The HTTPS server.
    ///
    /// - Parameter ready: hears of the port that is listened on.
    func server(ready: @escaping @Sendable (_ port: Int) -> Void = { _ in }) -> some Service {
        let limits = ConnectionLimits(
            maximum: connections, perAddress: max(1, connections * 3 / 4),
            perSecond: settings.requestsPerSecond, burst: connections)
        let identity = parts.identity
        let deadlines = deadlines
        return Application(
            responder: AgentResponder(parts, log),
            server: HTTPServerBuilder { responder in
                HTTPSChannel(
                    responder: responder, limits: limits, deadlines: deadlines,
                    context: { identity.now.tls })
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                serverName: "bootgate-agent", backlog: Self.backlog),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? settings.port
                log.info("listening", metadata: ["address": "\(settings.host):\(port)"])
                ServiceManager.notify("READY=1\nSTATUS=serving evidence")
                ready(port)
            }, logger: quietLog)
    }

    /// As many as the limit on open files leaves room for; one that is accepted must not find none.
    private var connections: Int {
        let files = Process.raiseOpenFileLimit()
        let room = max(16, (files - 128) / 2)
        if room < settings.connections {
            log.warning(
                "limit on open files allows fewer connections than limits.connections",
                metadata: ["files": "\(files)", "connections": "\(room)"])
        }
        return min(settings.connections, room)
    }

    /// Libraries speak only of what went wrong; they must not repeat requests.
    private var quietLog: Logger {
        var quiet = log
        quiet.logLevel = .warning
        return quiet
    }
}
