/// `[endorsements]` of `broker.toml`.
public struct EndorsementSettings: Sendable, Equatable {
    /// The folder that they are kept in.
    public var directory = ""
    /// Whether missing ones are asked for at their vendors.
    public var isOnline = false
    /// Base URL in place of AMD's service.
    public var amdURL: String?
    /// Base URL in place of Intel's service.
    public var intelURL: String?
    /// How vendors are reached; nil: as the environment says; empty: directly.
    public var proxy: String?
    /// PEM file of the authorities that vendors' servers are believed by; nil: the system's.
    public var authorities: String?
    /// How many days before its end a document is fetched anew; 0: never.
    public var prefetchDays = 7

    /// What counts where the table is not there.
    public init() {}

    init(
        from table: inout TOMLReader, _ absolute: (String) -> String
    ) throws(SettingsError) {
        directory = try table.optionalString("directory").map(absolute) ?? ""
        isOnline = try table.optionalBool("online") ?? false
        amdURL = try Self.url(&table, "amd_url")
        intelURL = try Self.url(&table, "intel_url")
        let proxy = try table.optionalString("proxy")
        switch proxy {
        case nil, "environment": self.proxy = nil
        case "none": self.proxy = ""
        case .some(let url):
            guard ["http://", "https://", "socks5://", "socks5h://"].contains(where: url.hasPrefix)
            else {
                throw table.error(
                    "proxy", expected: "environment, none or a URL", actual: url.debugDescription)
            }
            self.proxy = url
        }
        authorities = try table.optionalString("ca_file").map(absolute)
        prefetchDays = try table.optionalInteger("prefetch_days", in: 0...365) ?? 7
    }

    private static func url(
        _ table: inout TOMLReader, _ key: String
    ) throws(SettingsError) -> String? {
        guard let text = try table.optionalString(key) else { return nil }
        guard ["https://", "http://"].contains(where: { text.hasPrefix($0) && text != $0 }),
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw table.error(
                key, expected: "a URL of https or http", actual: text.debugDescription)
        }
        return text
    }
}
