import Linux

/// Which platform this is.
public enum Platforms {
    /// The provider for the driver that answers in `directory`.
    ///
    /// - Throws: `AttesterError.noPlatform` as long as no driver is loaded, so that a caller in early
    ///   boot can ask again.
    public static func discover(
        tsm directory: String = ConfigfsTSM.defaultDirectory
    ) throws(AttesterError) -> any EvidenceProvider {
        let tsm = ConfigfsTSM(directory: directory)
        let provider = try tsm.provider()
        // A new platform is a folder beside ConfigfsTSM and a line here.
        switch provider {
        case SNPGuest.providerName: return SNPGuest(tsm: tsm)
        default: throw .unknownProvider(name: String(provider.prefix(64)))
        }
    }
}
