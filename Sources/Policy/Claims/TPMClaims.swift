public import Evidence

/// What ties the key of a quote to somebody who is believed.
public enum AttestationKeyTrust: String, Sendable, Hashable, CaseIterable, Codable {
    /// The processor's report was made over the key's name. The TPM is the host's all the same.
    case teeReport = "tee-report"
    /// The SVSM's manifest, which the processor's report was made over.
    case svsmManifest = "svsm-manifest"
    /// The paravisor's runtime data, which the processor's report was made over.
    case paravisor
    /// The key lives beside an endorsement key that its maker certified.
    case ekCertificate = "ek-certificate"
    /// The cloud certified the key itself.
    case vendorCertificate = "vendor-certificate"
    /// Nobody but the sender.
    case nothing

    /// What a launch can be whose measurements only such a quote vouches for.
    public var launchClass: LaunchClass {
        switch self {
        case .svsmManifest: .svsmVTPM
        case .paravisor: .paravisorVTPM
        case .teeReport, .ekCertificate, .vendorCertificate, .nothing: .hostVTPM
        }
    }
}

/// What a TPM's quote says, once signature, nonce and PCR digest were found good.
public struct TPMClaims: Sendable, Equatable {
    /// Why the key of the quote counts.
    public let keyTrust: AttestationKeyTrust
    /// The registers that the quote's digest covers.
    public let pcrs: PCRValues
    /// TPM resets since its owner was last cleared.
    public let resetCount: UInt32
    /// Restarts and resumes since the last reset.
    public let restartCount: UInt32
    /// Milliseconds that the TPM was powered.
    public let clock: UInt64
    /// Whether the TPM never reported a later clock.
    public let isClockSafe: Bool
    /// In the manufacturer's own form.
    public let firmwareVersion: UInt64

    /// Takes a quote whose signature, nonce and PCR digest the caller has checked, and the values that
    /// the digest covers.
    @_spi(Verified)
    public init(
        authenticated quote: TPMAttestation, pcrs: PCRValues, keyTrust: AttestationKeyTrust
    ) {
        self.keyTrust = keyTrust
        self.pcrs = pcrs.restricted(to: quote.selection)
        resetCount = quote.resetCount
        restartCount = quote.restartCount
        clock = quote.clock
        isClockSafe = quote.isClockSafe
        firmwareVersion = quote.firmwareVersion
    }
}
