/// Where the runtime agent keeps what is its own, below one root.
public struct AgentFolder: Sendable, Equatable {
    /// The root unless `data_storage` names another.
    public static let defaultRoot = "/var/lib/bootgate"

    /// The root, without a slash at its end.
    public let root: String

    /// The folder at `root`, an absolute path.
    public init(root: String = defaultRoot) {
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
    }

    /// What has to lie on an encrypted disk: keys, certificates, configurations of applications.
    public var data: String { "\(root)/data" }
    /// Files that are worth nothing after a restart, such as a snapshot in the making.
    public var temporary: String { "\(root)/tmp" }

    /// `path` itself if it is absolute, else below the root.
    public func resolve(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(root)/\(path)"
    }
}
