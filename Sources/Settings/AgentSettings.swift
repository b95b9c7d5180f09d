public import Bytes

/// What `agent.toml` says; `man 5 agent.toml` explains each key.
///
/// The tables `[agent]` and `[app]` are those of a Cosmian VM agent, whose file works unchanged.
public struct AgentSettings: Sendable, Equatable {
    /// Which TPM is asked.
    public enum TPMDevice: Sendable, Equatable {
        /// The kernel's resource manager, where there is one.
        case ifPresent
        /// None.
        case none
        /// The device at a path.
        case file(String)
        /// A software TPM's command port on this host, for tests.
        case simulator(port: UInt16)
    }

    /// What runs the application.
    public enum ServiceType: String, Sendable, CaseIterable {
        /// systemd(1).
        case systemd
        /// supervisord(1).
        case supervisor
        /// The agent itself; the name is the absolute path of a program.
        case standalone
    }

    /// The application that the agent hands its configuration to.
    public struct App: Sendable, Equatable {
        /// What runs it.
        public var serviceType: ServiceType
        /// What that calls it.
        public var serviceName: String
        /// Folder of its `app.conf`; a relative one is below the root.
        public var storage: String
        /// Whether `app.conf` may lie on a disk that is not encrypted.
        public var allowsUnencrypted: Bool

        /// Describes an application.
        public init(
            serviceType: ServiceType, serviceName: String, storage: String,
            allowsUnencrypted: Bool
        ) {
            self.serviceType = serviceType
            self.serviceName = serviceName
            self.storage = storage
            self.allowsUnencrypted = allowsUnencrypted
        }
    }

    /// I/O classes of ionice(1) for the snapshot.
    public enum IOClass: String, Sendable, CaseIterable {
        /// Only while nobody else wants the disk.
        case idle
        /// With everybody else, at the lowest priority.
        case bestEffort = "best-effort"
    }

    /// Address to listen on.
    public var host = "0.0.0.0"
    /// TCP port; 0 lets the kernel choose.
    public var port = 5555
    /// The root of what is the agent's own, absolute.
    public var dataStorage = "/var/lib/bootgate"
    /// PEM file of the TLS certificate chain, absolute; where neither it nor the key exists, both are made.
    public var certificate = "/var/lib/bootgate/data/cert.pem"
    /// PEM file of its key, absolute.
    public var privateKey = "/var/lib/bootgate/data/cert.key"
    /// Which TPM is asked.
    public var tpm = TPMDevice.ifPresent
    /// The application; nil where there is none.
    public var app: App?
    /// SHA-256 of each bearer token that may change something.
    public var tokens: [FixedBytes<32>] = []
    /// SHA-256 of the SubjectPublicKeyInfo of each client certificate that may.
    public var clientKeys: [FixedBytes<32>] = []
    /// Whether the agent reports to the broker.
    public var reportsToBroker = true
    /// The attested configuration that names the broker.
    public var gateConfiguration = "/run/bootgate/gate.conf"
    /// Seconds between two reports.
    public var reportInterval = 300
    /// Trees that a snapshot leaves out beside those that every snapshot does.
    public var snapshotExclude: [String] = []
    /// The snapshot's nice level, 0 to 19.
    public var snapshotNice = 10
    /// The snapshot's I/O class.
    public var snapshotIOClass = IOClass.bestEffort
    /// Requests a second that one address may make on average.
    public var requestsPerSecond = 50
    /// Connections that may be open at once.
    public var connections = 2000
    /// Requests for evidence that are worked on or wait at once.
    public var evidenceRequests = 16
    /// `debug`, `info`, `warning` or `error`.
    public var logLevel = "info"

    /// What counts where a file says nothing.
    public init() {}

    /// Reads the text of an `agent.toml`.
    public init(toml text: String) throws(SettingsError) {
        self = try TOMLDocument(parsing: text).read { reader throws(SettingsError) in
            try AgentSettings(from: &reader)
        }
    }

    private init(from reader: inout TOMLReader) throws(SettingsError) {
        var settings = AgentSettings()
        let tables: [(name: String, read: Section)] = [
            ("agent", AgentSettings.readAgent), ("app", AgentSettings.readApp),
            ("access", AgentSettings.readAccess), ("broker", AgentSettings.readBroker),
            ("snapshot", AgentSettings.readSnapshot), ("limits", AgentSettings.readLimits),
            ("log", AgentSettings.readLog),
        ]
        for (name, read) in tables {
            _ = try reader.optionalTable(name) { table throws(SettingsError) in
                try read(&settings, &table)
            }
        }
        self = settings
    }

    private typealias Section = (inout AgentSettings, inout TOMLReader) throws(SettingsError) ->
        Void

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(dataStorage)/\(path)"
    }

    private static func readAgent(
        _ settings: inout AgentSettings, _ table: inout TOMLReader
    ) throws(SettingsError) {
        if let root = try table.absolutePath("data_storage") {
            settings.dataStorage =
                root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        }
        settings.host = try table.optionalString("host") ?? settings.host
        settings.port = try table.optionalInteger("port", in: 0...65535) ?? settings.port
        let files = (
            certificate: try table.optionalString("ssl_certificate"),
            key: try table.optionalString("ssl_private_key")
        )
        guard (files.certificate == nil) == (files.key == nil) else {
            let missing = files.certificate == nil ? "ssl_certificate" : "ssl_private_key"
            throw table.error(
                missing, expected: "a text, as its counterpart is given", actual: "nothing")
        }
        settings.certificate = settings.absolute(files.certificate ?? "data/cert.pem")
        settings.privateKey = settings.absolute(files.key ?? "data/cert.key")
        guard let device = try table.optionalString("tpm_device") else { return }
        if device == "none" {
            settings.tpm = .none
        } else if device.hasPrefix("/") {
            settings.tpm = .file(device)
        } else if device.hasPrefix("swtpm:"), let port = UInt16(device.dropFirst(6)) {
            settings.tpm = .simulator(port: port)
        } else {
            throw table.error(
                "tpm_device", expected: "the path of a device, or none",
                actual: device.debugDescription)
        }
    }

    private static func readApp(
        _ settings: inout AgentSettings, _ table: inout TOMLReader
    ) throws(SettingsError) {
        guard let type: ServiceType = try table.optionalChoice("service_type") else {
            throw table.error(
                "service_type", expected: "systemd, supervisor or standalone", actual: "nothing")
        }
        settings.app = App(
            serviceType: type, serviceName: try table.string("service_name"),
            storage: try table.optionalString("app_storage") ?? "data/app",
            allowsUnencrypted: try table.optionalBool("allow_unencrypted") ?? false)
    }

    private static func readAccess(
        _ settings: inout AgentSettings, _ table: inout TOMLReader
    ) throws(SettingsError) {
        settings.tokens = try table.digests("tokens")
        settings.clientKeys = try table.digests("client_keys")
    }

    private static func readBroker(
        _ settings: inout AgentSettings, _ table: inout TOMLReader
    ) throws(SettingsError) {
        settings.reportsToBroker = try table.optionalBool("enabled") ?? settings.reportsToBroker
        settings.gateConfiguration =
            try table.absolutePath("gate_conf") ?? settings.gateConfiguration
        settings.reportInterval =
            try table.optionalSeconds("interval", in: 60...86_400) ?? settings.reportInterval
    }

    private static func readSnapshot(
        _ settings: inout AgentSettings, _ table: inout TOMLReader
    ) throws(SettingsError) {
        settings.snapshotExclude = try table.optionalStrings("exclude") ?? []
        for (index, path) in settings.snapshotExclude.enumerated() where !path.hasPrefix("/") {
            throw SettingsError(
                path: "\(table.path).exclude[\(index)]", expected: "an absolute path",
                actual: path.debugDescription)
        }
        settings.snapshotNice =
            try table.optionalInteger("nice", in: 0...19) ?? settings.snapshotNice
        settings.snapshotIOClass = try table.optionalChoice("io_class") ?? settings.snapshotIOClass
    }

    private static func readLimits(
        _ settings: inout AgentSettings, _ table: inout TOMLReader
    ) throws(SettingsError) {
        settings.requestsPerSecond =
            try table.optionalInteger("requests_per_second", in: 1...1_000_000)
            ?? settings.requestsPerSecond
        settings.connections =
            try table.optionalInteger("connections", in: 1...1_000_000) ?? settings.connections
        settings.evidenceRequests =
            try table.optionalInteger("evidence_requests", in: 1...1024)
            ?? settings.evidenceRequests
    }

    private enum Level: String, CaseIterable {
        case debug
        case info
        case warning
        case error
    }

    private static func readLog(
        _ settings: inout AgentSettings, _ table: inout TOMLReader
    ) throws(SettingsError) {
        settings.logLevel =
            try table.optionalChoice("level", Level.self)?.rawValue ?? settings.logLevel
    }
}

extension TOMLReader {
    fileprivate mutating func absolutePath(_ key: String) throws(SettingsError) -> String? {
        guard let path = try optionalString(key) else { return nil }
        guard path.hasPrefix("/") else {
            throw error(key, expected: "an absolute path", actual: path.debugDescription)
        }
        return path
    }

    fileprivate mutating func digests(_ key: String) throws(SettingsError) -> [FixedBytes<32>] {
        let texts = try optionalStrings(key) ?? []
        guard texts.count <= 64 else {
            throw error(key, expected: "at most 64", actual: "\(texts.count)")
        }
        var digests: [FixedBytes<32>] = []
        for (index, text) in texts.enumerated() {
            // The text itself may be a token by mistake, and is not repeated.
            guard text.hasPrefix("sha256:"),
                let digest = FixedBytes<32>(hex: String(text.dropFirst(7)))
            else {
                throw SettingsError(
                    path: "\(path).\(key)[\(index)]",
                    expected: "sha256: and 64 hexadecimal digits",
                    actual: "another text of \(text.utf8.count) bytes")
            }
            digests.append(digest)
        }
        return digests
    }

    /// A time such as `90s`, `5m` or `1h`, in seconds.
    fileprivate mutating func optionalSeconds(
        _ key: String, in bounds: ClosedRange<Int>
    ) throws(SettingsError) -> Int? {
        guard let text = try optionalString(key) else { return nil }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
        guard let unit = text.last.flatMap({ units[$0] }), let count = UInt32(text.dropLast()),
            bounds.contains(Int(count) * unit)
        else {
            throw error(
                key,
                expected:
                    "a time such as 90s, 5m or 1h, from \(bounds.lowerBound) to \(bounds.upperBound) seconds",
                actual: text.debugDescription)
        }
        return Int(count) * unit
    }
}
