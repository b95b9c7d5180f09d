/// A document that a vendor publishes, as owners see it.
public struct EndorsementRecord: Codable, Equatable, Sendable {
    /// How good it is.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// It is there and its successor is not due.
        case good
        /// It is there, and its successor is due within a week.
        case endsSoon = "ends soon"
        /// It is there, and its successor was due before now.
        case outdated
        /// A launch asked for it, and it is not there.
        case missing
    }

    /// The same everywhere, such as `crl/Genoa`.
    public var name: String
    /// In words.
    public var title: String
    /// How good it is.
    public var state: State
    /// Where its vendor, or the mirror that is configured, has it.
    public var url: String
    /// Where it lies below the directory; nil where it is missing.
    public var path: String?
    /// From when on it is good; seconds since 1970, UTC.
    public var issued: Int64?
    /// Until when it is good; seconds since 1970, UTC.
    public var expires: Int64?
    /// When it was fetched; nil where somebody put it there.
    public var fetched: Int64?
    /// The URL it was fetched from.
    public var source: String?
    /// When a launch last asked for it in vain; seconds since 1970, UTC.
    public var wanted: Int64?

    /// Puts a record together.
    public init(
        name: String, title: String, state: State, url: String, path: String? = nil,
        issued: Int64? = nil, expires: Int64? = nil, fetched: Int64? = nil,
        source: String? = nil, wanted: Int64? = nil
    ) {
        self.name = name
        self.title = title
        self.state = state
        self.url = url
        self.path = path
        self.issued = issued
        self.expires = expires
        self.fetched = fetched
        self.source = source
        self.wanted = wanted
    }
}

/// A chip that a launch was seen from.
public struct SeenChip: Codable, Equatable, Sendable {
    /// CHIP_ID in hexadecimal.
    public var chip: String
    /// Such as `SNP Genoa`.
    public var platform: String
    /// The VMs whose newest launch came from it.
    public var vms: [String]
    /// Names of the certificates that are there for it; hosts may bring their own.
    public var certificates: [String]

    /// Puts a record together.
    public init(chip: String, platform: String, vms: [String], certificates: [String]) {
        self.chip = chip
        self.platform = platform
        self.vms = vms
        self.certificates = certificates
    }
}

/// Answer of `GET /v1/endorsements`.
public struct EndorsementList: Codable, Equatable, Sendable {
    /// The folder that they lie in.
    public var directory: String
    /// Whether the broker fetches what is missing; nil where no broker was asked.
    public var online: Bool?
    /// What is there and what is missing, by name.
    public var documents: [EndorsementRecord]
    /// Files that an owner put there by hand, below the directory.
    public var certificates: [String]
    /// The chips that enrolled VMs were last launched on.
    public var chips: [SeenChip]

    /// Puts a list together.
    public init(
        directory: String, online: Bool? = nil, documents: [EndorsementRecord],
        certificates: [String], chips: [SeenChip] = []
    ) {
        self.directory = directory
        self.online = online
        self.documents = documents
        self.certificates = certificates
        self.chips = chips
    }
}

/// Answer of `PUT /v1/endorsements/bundle`: what became of each file.
public struct EndorsementImport: Codable, Equatable, Sendable {
    /// Names of documents that were not there.
    public var added: [String]
    /// Names of documents that took the place of older ones.
    public var replaced: [String]
    /// Names of documents that stayed as they were: what is there is the same or newer.
    public var kept: [String]

    /// Puts an answer together.
    public init(added: [String] = [], replaced: [String] = [], kept: [String] = []) {
        self.added = added
        self.replaced = replaced
        self.kept = kept
    }
}
