import Authenticators
import BrokerCore
import Bytes
import Curl
import Endorsements
import Hummingbird
import HummingbirdCore
import Linux
import Logging
import NIOCore
import NIOPosix
import NetIO
import OpenSSL
import Policy
import ServiceLifecycle
import Settings
import Store
import UnixSignals
import Verification

/// The daemon, put together from its settings.
struct Broker {
    /// The largest certificate or key file that is read, in bytes.
    private static let fileLimit = 1 << 18

    let settings: BrokerSettings
    let log: Logger
    private let tls: TLSServerContext
    let pin: FixedBytes<32>
    private let gatekeeper: SocketGatekeeper

    /// Checks everything that can be checked without starting.
    init(_ settings: BrokerSettings) throws {
        self.settings = settings
        log = Logger(label: "bootgate") { [level = settings.logLevel] _ in
            LineLog(logLevel: Logger.Level(rawValue: level) ?? .info)
        }
        let certificates = try File.read(settings.certificate, atMost: Self.fileLimit)
        let keyFile = try Linux.FileDescriptor(settings.key, .read)
        try WrappingKeyFile.checkOwner(of: keyFile, settings.key)
        let key = try File.readSecret(descriptor: keyFile.rawValue, atMost: Self.fileLimit >> 4)
        do {
            tls = try TLSServerContext(
                certificatePEM: certificates, privateKeyPEM: key, alpn: "bootgate/1")
        } catch {
            throw StartError(
                .unusable, "launch.certificate \(settings.certificate) and launch.key: \(error)")
        }
        guard let leaf = try X509Certificate.readAll(pem: certificates).first else {
            throw StartError(.unusable, "\(settings.certificate): expected a certificate")
        }
        pin = leaf.subjectPublicKeyInfoDigest
        gatekeeper = SocketGatekeeper(
            users: try Self.users(settings), groups: Set(settings.adminGroups))
    }

    /// Serves until SIGTERM or SIGINT.
    func run() async throws {
        try Self.makeDirectory(settings.state, mode: 0o700)
        let openFiles = Process.raiseOpenFileLimit()
        if openFiles < settings.maximumConnections + 100 {
            log.warning(
                "limit on open files is below launch.max_connections",
                metadata: ["limit": "\(openFiles)"])
        }
        let commits = Metrics.LedgerCommits()
        let store = try SQLiteStore(
            path: "\(settings.state)/broker.sqlite3", observe: commits.observe)
        let fetches = Metrics.Fetches()
        let fetcher = settings.endorsements.isOnline ? fetcher(fetches) : nil
        let desk = EndorsementDesk(
            cache: EndorsementCache(settings.endorsements.directory), fetcher: fetcher)
        let authenticator = authenticators(desk.cache)
        let authority = try await authority(store, desk, authenticator)
        let snapshots = SnapshotFiles("\(settings.state)/snapshots")
        snapshots.removeUnfinished()
        let reports = RuntimeAuthority(
            store: store, authenticator: authenticator, desk: desk,
            readPolicy: { try? AppraisalPolicy(toml: $0) }, snapshots: snapshots,
            statistics: authority.statistics, log: log)
        let limits = ConnectionLimits(
            maximum: settings.maximumConnections, perSecond: settings.connectionsPerSecond,
            burst: settings.connectionBurst)
        let admin = AdminService(
            store: store, authority: authority,
            snapshots: snapshots, desk: desk, services: services, pins: [pin.hex])
        let metrics = Metrics(
            statistics: authority.statistics, commits: commits, fetches: fetches,
            openConnections: { limits.count })
        let readiness = Readiness(listeners: settings.health == nil ? 2 : 3, log: log)
        let launches = LaunchServer(
            settings: settings, tls: tls, authority: authority, reports: reports, limits: limits,
            group: MultiThreadedEventLoopGroup.singleton, log: log,
            ready: { addresses in
                admin.listens(on: addresses)
                log.info("listening", metadata: ["launch": "\(addresses.joined(separator: ","))"])
                readiness.oneListens()
            })
        var parts: [any Service] = [adminServer(admin, readiness), launches]
        if let health = settings.health {
            parts.append(healthServer(health, store, metrics, readiness))
        }
        if let fetcher, settings.endorsements.prefetchDays > 0 {
            parts.append(
                Prefetch(fetcher: fetcher, days: settings.endorsements.prefetchDays))
        }
        log.info(
            "starting",
            metadata: ["version": "\(BrokerVersion.text)", "pin": "sha256:\(pin.hex)"])
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: parts, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: quietLog))
        let serving = await Result { try await group.run() }
        ServiceManager.notify("STOPPING=1")
        fetcher?.stop()
        try store.finish()
        log.info("stopped")
        try serving.get()
    }

    private var services: EndorsementServices {
        EndorsementServices(
            amd: settings.endorsements.amdURL, intel: settings.endorsements.intelURL)
    }

    private func fetcher(_ fetches: Metrics.Fetches) -> EndorsementFetcher {
        let settings = settings.endorsements
        let proxy: Downloader.Proxy =
            switch settings.proxy {
            case nil: .environment
            case "": .none
            case .some(let url): .url(url)
            }
        return EndorsementFetcher(
            cache: EndorsementCache(settings.directory),
            services: services,
            transport: EndorsementFetcher.transport(
                Downloader(proxy: proxy, authorities: settings.authorities)),
            observe: { event in
                fetches.count(event.object.vendor, isGood: event.fault == nil)
                let place: Logger.Metadata = ["object": "\(event.object)", "url": "\(event.url)"]
                if let fault = event.fault {
                    log.warning(
                        "endorsement not fetched",
                        metadata: place.merging(["reason": "\(fault)"]) { $1 })
                } else {
                    log.info("endorsement fetched", metadata: place)
                }
            })
    }

    private func authority(
        _ store: SQLiteStore, _ desk: EndorsementDesk, _ authenticator: PlatformAuthenticator
    ) async throws -> LaunchAuthority {
        let envelope = KeyEnvelope(wrappingKey: try WrappingKeyFile.read(settings.wrappingKey))
        let check = envelope.check()
        guard try await store.remember(check, as: "wrapping key check") == check else {
            throw StartError(
                .unusable,
                "keys.wrapping_key: not the key that the database in \(settings.state) is sealed with"
            )
        }
        return LaunchAuthority(
            store: store, envelope: envelope, authenticator: authenticator, desk: desk,
            readPolicy: { try? AppraisalPolicy(toml: $0) }, log: log)
    }

    private func authenticators(_ cache: EndorsementCache) -> PlatformAuthenticator {
        let anchors =
            (settings.trustsAMD ? TrustAnchor.amd : [])
            + (settings.trustsIntel ? TrustAnchor.intel : [])
            + settings.roots.map { root in
                let family: TrustAnchor.Family =
                    switch root.hardware {
                    case .snp(let product): .snp(product)
                    case .tdx: .tdx
                    }
                return TrustAnchor(name: root.name, family: family, keyDigest: root.keyDigest)
            }
        let verifiers = (snp: SNPVerifier(anchors: anchors), tdx: TDXVerifier(anchors: anchors))
        let snp = SNPAuthenticator(
            verifier: verifiers.snp, directory: CertificateDirectory(cache))
        let tdx = TDXAuthenticator(verifier: verifiers.tdx, cache: cache)
        return PlatformAuthenticator([
            snp, tdx, SVSMAuthenticator(snp),
            AzureAuthenticator(
                verifier: AzureVerifier(snp: verifiers.snp, tdx: verifiers.tdx), snp: snp, tdx: tdx),
        ])
    }

    private func adminServer(_ service: AdminService, _ readiness: Readiness) -> some Service {
        let path = settings.adminSocket
        // With nobody else on the list, the file's mode says so as well.
        let mode: UInt32 =
            settings.adminUsers.isEmpty && settings.adminGroups.isEmpty ? 0o600 : 0o666
        return Application(
            responder: AdminResponder(service: service, gatekeeper: gatekeeper, log: log),
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: path), serverName: "bootgate-broker"),
            onServerRunning: { _ in
                do {
                    try File.setMode(mode, of: path)
                } catch {
                    log.error("admin socket", metadata: ["reason": "\(error)"])
                }
                log.info("listening", metadata: ["admin": "\(path)"])
                readiness.oneListens()
            }, logger: quietLog)
    }

    private func healthServer(
        _ address: BrokerSettings.Listen, _ store: SQLiteStore, _ metrics: Metrics,
        _ readiness: Readiness
    ) -> some Service {
        Application(
            responder: HealthResponder(store: store, metrics: metrics),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                serverName: "bootgate-broker"),
            onServerRunning: { _ in
                log.info("listening", metadata: ["health": "\(address)"])
                readiness.oneListens()
            }, logger: quietLog)
    }

    /// Libraries speak only of what went wrong; they must not repeat requests.
    private var quietLog: Logger {
        var quiet = log
        quiet.logLevel = .warning
        return quiet
    }

    private static func users(_ settings: BrokerSettings) throws -> Set<UInt32> {
        var users: Set<UInt32> = [0, Process.userID]
        for name in settings.adminUsers {
            guard let user = UInt32(name) ?? Process.userID(named: name) else {
                throw StartError(.unusable, "admin.allow_users: there is no user \(name)")
            }
            users.insert(user)
        }
        return users
    }

    private static func makeDirectory(_ path: String, mode: UInt32) throws {
        if !File.exists(path) { try File.makeDirectories(path, mode: mode) }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
