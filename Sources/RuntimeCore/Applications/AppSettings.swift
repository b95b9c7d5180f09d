/// The application that the agent's owner drives by it: section `[app]` of agent.toml.
public struct AppSettings: Equatable, Sendable {
    /// Who starts and stops it.
    public enum ServiceType: String, Sendable, CaseIterable {
        /// systemd; the service's name is that of a unit.
        case systemd
        /// supervisord; the service's name is that of a program of its config.
        case supervisor
        /// The agent itself; the service's name is the absolute path of a program, which ends with the
        /// agent.
        case standalone
    }

    /// Who starts and stops it.
    public let type: ServiceType
    /// What they know it as.
    public let name: String
    /// The directory that `app.conf` is written into, absolute.
    public let storage: String
    /// Whether `app.conf` may be written to a disk that is not encrypted.
    public let allowsUnencrypted: Bool

    /// - Parameter storage: a relative path is below the root of `folder`.
    /// - Throws: `AppError.unusable` with the name of the setting.
    public init(
        type: ServiceType, name: String, storage: String = "data/app", folder: AgentFolder,
        allowsUnencrypted: Bool = false
    ) throws(AppError) {
        let isPath = type == .standalone
        guard (1...255).contains(name.utf8.count), !name.hasPrefix("-"), name != ".", name != "..",
            name.hasPrefix("/") == isPath,
            name.utf8.allSatisfy({ Self.isAllowed($0) || isPath && $0 == UInt8(ascii: "/") })
        else {
            throw .unusable(
                setting: "service_name",
                expected: isPath
                    ? "the absolute path of a program, of A-Z a-z 0-9 @ . _ - /"
                    : "A-Z a-z 0-9 @ . _ -, not beginning with -")
        }
        guard !storage.isEmpty, !storage.split(separator: "/").contains("..") else {
            throw .unusable(setting: "app_storage", expected: "a path without ..")
        }
        self.type = type
        self.name = name
        self.storage = folder.resolve(storage)
        self.allowsUnencrypted = allowsUnencrypted
    }

    static let configurationName = "app.conf"

    /// The application's configuration.
    public var configuration: String { "\(storage)/\(Self.configurationName)" }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "@"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
