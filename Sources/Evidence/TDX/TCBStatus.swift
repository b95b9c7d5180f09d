/// What Intel says of a platform's versions, in its own words and from best to worst.
///
/// Source: Intel PCS API, "Get TDX TCB Info V4", tcbStatus.
public enum TCBStatus: String, Sendable, Hashable, CaseIterable, Codable, Comparable {
    /// Nothing is known against these versions.
    case upToDate = "UpToDate"
    /// Software in the guest has to mitigate something.
    case swHardeningNeeded = "SWHardeningNeeded"
    /// The platform has to be configured otherwise.
    case configurationNeeded = "ConfigurationNeeded"
    /// Both of the former.
    case configurationAndSWHardeningNeeded = "ConfigurationAndSWHardeningNeeded"
    /// There are versions against known attacks, and these are not they.
    case outOfDate = "OutOfDate"
    /// The same, and the platform has to be configured otherwise.
    case outOfDateConfigurationNeeded = "OutOfDateConfigurationNeeded"
    /// Keys of these versions are not to be trusted any more.
    case revoked = "Revoked"

    /// Better comes first.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// What holds for a platform of two parts with these statuses.
    ///
    /// As Intel's Quote Verification Library puts statuses together: revoked beats all; out of date and
    /// in need of configuration are said both; out of date makes software hardening pointless to ask.
    public func combined(with other: Self) -> Self {
        if self == .revoked || other == .revoked { return .revoked }
        let needs = needs.union(other.needs)
        if needs.contains(.update) {
            return needs.contains(.configuration) ? .outOfDateConfigurationNeeded : .outOfDate
        }
        if needs.contains(.configuration) {
            return needs.contains(.hardening)
                ? .configurationAndSWHardeningNeeded : .configurationNeeded
        }
        return needs.contains(.hardening) ? .swHardeningNeeded : .upToDate
    }

    private enum Need: Hashable { case update, configuration, hardening }

    private var needs: Set<Need> {
        switch self {
        case .upToDate, .revoked: []
        case .swHardeningNeeded: [.hardening]
        case .configurationNeeded: [.configuration]
        case .configurationAndSWHardeningNeeded: [.configuration, .hardening]
        case .outOfDate: [.update]
        case .outOfDateConfigurationNeeded: [.update, .configuration]
        }
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}
