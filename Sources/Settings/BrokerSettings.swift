public import Bytes
public import Evidence

/// What `broker.toml` says; `man 5 broker.toml` explains each key.
public struct BrokerSettings: Sendable, Equatable {
    /// A host and a port to listen on.
    public struct Listen: Sendable, Equatable, CustomStringConvertible {
        /// A numeric address or a name.
        public var host: String
        /// The TCP port; 0 lets the kernel choose.
        public var port: Int

        /// `host:port`, an IPv6 address in brackets.
        public init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...])
            else { return nil }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = String(host.dropFirst().dropLast())
            } else if host.contains(":") {
                return nil
            }
            guard !host.isEmpty else { return nil }
            self.host = host
            self.port = Int(port)
        }

        /// The form that ``init(_:)`` reads.
        public var description: String {
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// What chains under a root may vouch for.
    public enum RootHardware: Sendable, Hashable {
        /// SNP reports of one product.
        case snp(SNPProduct)
        /// TDX quotes.
        case tdx
    }

    /// A root that is trusted beside the vendors'.
    public struct Root: Sendable, Equatable {
        /// What the owner calls it.
        public var name: String
        /// What its chips are.
        public var hardware: RootHardware
        /// SHA-256 of its SubjectPublicKeyInfo.
        public var keyDigest: FixedBytes<32>
    }

    /// Directory of the database.
    public var state: String
    /// Where launches are taken.
    public var listen: [Listen]
    /// PEM file of the TLS certificate.
    public var certificate: String
    /// PEM file of its key.
    public var key: String
    /// How long a connection may last, in seconds.
    public var deadlineSeconds: Int
    /// How long its handshake may last, in seconds.
    public var handshakeSeconds: Int
    /// How many connections may be open at once.
    public var maximumConnections: Int
    /// How many new connections a second one address may make, on average.
    public var connectionsPerSecond: Int
    /// How many it may make at once after a pause.
    public var connectionBurst: Int
    /// Path of the admin socket.
    public var adminSocket: String
    /// Users beside root and the broker's own that may use it: names or numbers.
    public var adminUsers: [String]
    /// Numbers of groups that may use it.
    public var adminGroups: [UInt32]
    /// Where health and metrics are served; nil: nowhere.
    public var health: Listen?
    /// File of the wrapping key; nil: the systemd credential `wrapping-key`.
    public var wrappingKey: String?
    /// Where certificates and revocation lists of vendors come from that hosts do not hand out.
    public var endorsements: EndorsementSettings
    /// Whether AMD's own roots are trusted.
    public var trustsAMD: Bool
    /// Whether Intel's own root is trusted.
    public var trustsIntel: Bool
    /// Roots that are trusted beside them.
    public var roots: [Root]
    /// `debug`, `info`, `warning` or `error`.
    public var logLevel: String

    /// Reads the text of a `broker.toml`; relative paths in it start at `directory`.
    public init(toml text: String, directory: String) throws(SettingsError) {
        self = try TOMLDocument(parsing: text).read { reader throws(SettingsError) in
            try BrokerSettings(from: &reader, directory: directory)
        }
    }

    private struct Launch {
        var listen: [Listen]
        var certificate: String
        var key: String
        var deadline: Int
        var handshake: Int
        var connections: Int
        var rate: Int
        var burst: Int
    }

    private init(from reader: inout TOMLReader, directory: String) throws(SettingsError) {
        func absolute(_ path: String) -> String {
            path.hasPrefix("/") ? path : "\(directory)/\(path)"
        }
        state = absolute(try reader.optionalString("state") ?? "/var/lib/bootgate-broker")
        let launch = try reader.optionalTable("launch") { table throws(SettingsError) in
            try Self.launch(&table)
        }
        guard let launch else {
            throw reader.error("launch", expected: "a table", actual: "nothing")
        }
        listen = launch.listen
        certificate = absolute(launch.certificate)
        key = absolute(launch.key)
        deadlineSeconds = launch.deadline
        handshakeSeconds = launch.handshake
        maximumConnections = launch.connections
        connectionsPerSecond = launch.rate
        connectionBurst = launch.burst

        let admin = try reader.optionalTable("admin") { table throws(SettingsError) in
            (
                socket: try table.optionalString("socket"),
                users: try table.optionalStrings("allow_users") ?? [],
                groups: try Self.groups(&table)
            )
        }
        adminSocket = absolute(admin?.socket ?? "/run/bootgate/admin.sock")
        adminUsers = admin?.users ?? []
        adminGroups = admin?.groups ?? []

        let health = try reader.optionalTable("health") { table throws(SettingsError) in
            try Self.health(&table)
        }
        self.health = if let health { health } else { Self.healthUnlessSaid }

        wrappingKey = try
            (reader.optionalTable("keys") { table throws(SettingsError) in
                try table.optionalString("wrapping_key")
            } ?? nil).map(absolute)
        let endorsements = try reader.optionalTable("endorsements") { table throws(SettingsError) in
            try EndorsementSettings(from: &table, absolute)
        }
        self.endorsements = endorsements ?? EndorsementSettings()
        // With the database, so that a fresh broker has a place for them.
        if self.endorsements.directory.isEmpty {
            self.endorsements.directory = state + "/endorsements"
        }
        let trust = try reader.optionalTable("trust") { table throws(SettingsError) in
            (
                amd: try table.optionalBool("amd"), intel: try table.optionalBool("intel"),
                roots: try table.tables("root", Self.root)
            )
        }
        trustsAMD = trust?.amd ?? true
        trustsIntel = trust?.intel ?? true
        roots = trust?.roots ?? []
        guard trustsAMD || trustsIntel || !roots.isEmpty else {
            throw reader.error(
                "trust", expected: "amd = true, intel = true or a [[trust.root]]",
                actual: "nothing to trust")
        }
        logLevel =
            try reader.optionalTable("log") { table throws(SettingsError) in
                try table.optionalChoice("level", Level.self)
            }??.rawValue ?? Level.info.rawValue
    }

    private enum Level: String, CaseIterable {
        case debug
        case info
        case warning
        case error
    }

    private static func launch(_ table: inout TOMLReader) throws(SettingsError) -> Launch {
        var listen: [Listen] = []
        for (index, text) in (try table.optionalStrings("listen") ?? ["0.0.0.0:7411"]).enumerated()
        {
            listen.append(try address(text, "listen", index, table))
        }
        guard !listen.isEmpty else {
            throw table.error("listen", expected: "at least one address", actual: "none")
        }
        return Launch(
            listen: listen, certificate: try table.string("certificate"),
            key: try table.string("key"),
            deadline: try table.optionalInteger("deadline_seconds", in: 1...3600) ?? 60,
            handshake: try table.optionalInteger("handshake_seconds", in: 1...600) ?? 20,
            connections: try table.optionalInteger("max_connections", in: 1...1_000_000) ?? 20_000,
            rate: try table.optionalInteger("connections_per_second", in: 1...1_000_000) ?? 500,
            burst: try table.optionalInteger("connection_burst", in: 1...1_000_000) ?? 10_000)
    }

    private static let healthUnlessSaid = Listen("127.0.0.1:7412")

    private static func health(_ table: inout TOMLReader) throws(SettingsError) -> Listen? {
        guard let text = try table.optionalString("listen") else { return healthUnlessSaid }
        if text == "off" { return nil }
        return try address(text, "listen", nil, table)
    }

    private static func address(
        _ text: String, _ key: String, _ index: Int?, _ table: TOMLReader
    ) throws(SettingsError) -> Listen {
        guard let listen = Listen(text) else {
            throw SettingsError(
                path: "\(table.path).\(key)\(index.map { "[\($0)]" } ?? "")",
                expected: "HOST:PORT or [IPV6]:PORT", actual: text.debugDescription)
        }
        return listen
    }

    private static func groups(_ table: inout TOMLReader) throws(SettingsError) -> [UInt32] {
        var groups: [UInt32] = []
        for (index, text) in (try table.optionalStrings("allow_groups") ?? []).enumerated() {
            guard let group = UInt32(text) else {
                throw SettingsError(
                    path: "\(table.path).allow_groups[\(index)]",
                    expected: "the number of a group", actual: text.debugDescription)
            }
            groups.append(group)
        }
        return groups
    }

    private static func root(_ table: inout TOMLReader) throws(SettingsError) -> Root {
        let name = try table.string("name")
        guard let product: RootProduct = try table.optionalChoice("product") else {
            throw table.error(
                "product",
                expected: RootProduct.allCases.map(\.rawValue).joined(separator: " or "),
                actual: "nothing")
        }
        let text = try table.string("spki_sha256")
        guard let digest = FixedBytes<32>(hex: text) else {
            throw table.error(
                "spki_sha256", expected: "64 hexadecimal digits", actual: text.debugDescription)
        }
        return Root(name: name, hardware: product.hardware, keyDigest: digest)
    }
}

/// What a root may be named for.
private enum RootProduct: String, CaseIterable {
    case milan = "Milan"
    case genoa = "Genoa"
    case turin = "Turin"
    case tdx = "TDX"

    var hardware: BrokerSettings.RootHardware {
        SNPProduct(rawValue: rawValue).map(BrokerSettings.RootHardware.snp) ?? .tdx
    }
}
