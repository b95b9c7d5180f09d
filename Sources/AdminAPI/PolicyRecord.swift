/// A policy that the broker holds.
public struct PolicyRecord: Codable, Equatable, Sendable {
    /// Its name.
    public var name: String
    /// SHA-256 of its canonical form, in hexadecimal.
    public var identity: String
    /// The text it was made of; left out in lists.
    public var toml: String?
    /// When this text was stored; seconds since 1970, UTC. 0 where it was only checked.
    public var created: Int64
    /// How many VMs are judged by it; left out where a single policy is asked for.
    public var vms: Int?

    /// Puts a record together.
    public init(
        name: String, identity: String, toml: String? = nil, created: Int64, vms: Int? = nil
    ) {
        self.name = name
        self.identity = identity
        self.toml = toml
        self.created = created
        self.vms = vms
    }
}

/// Answer of `GET /v1/policies`, by name.
public struct PolicyList: Codable, Equatable, Sendable {
    /// All policies.
    public var policies: [PolicyRecord]

    /// Wraps the records.
    public init(policies: [PolicyRecord]) {
        self.policies = policies
    }
}

/// Body of `PUT /v1/policies/{name}` and of `POST /v1/policies/check`.
public struct PolicyText: Codable, Equatable, Sendable {
    /// The policy as TOML, at most 256 KiB.
    public var toml: String

    /// Wraps a text.
    public init(toml: String) {
        self.toml = toml
    }
}
