import Bytes
public import Evidence

/// What was said of a launch, after every signature, chain and binding were found good.
///
/// Only the module `Verification` makes one; that is what the SPI is for. A policy can therefore never
/// be asked about evidence that nobody authenticated.
public struct Claims: Sendable, Equatable {
    /// What a processor says.
    public enum Hardware: Sendable, Equatable {
        /// AMD SEV-SNP.
        case snp(SNPClaims)
        /// Intel TDX.
        case tdx(TDXClaims)
    }

    /// What the processor said.
    public let hardware: Hardware
    /// What a TPM's quote adds; nil where there was none that is authentic.
    public let tpm: TPMClaims?
    /// What a log proves that replays to quoted registers; nil where there was none.
    public let boot: BootFacts?

    /// Puts authenticated parts together.
    @_spi(Verified)
    public init(hardware: Hardware, tpm: TPMClaims? = nil, boot: BootFacts? = nil) {
        self.hardware = hardware
        self.tpm = tpm
        self.boot = boot
    }

    /// What an SNP report said; nil on other hardware.
    public var snp: SNPClaims? {
        guard case .snp(let claims) = hardware else { return nil }
        return claims
    }

    /// What a TDX quote said; nil on other hardware.
    public var tdx: TDXClaims? {
        guard case .tdx(let claims) = hardware else { return nil }
        return claims
    }

    /// The best class that a launch with this evidence can have.
    ///
    /// Below an SVSM or a paravisor the hardware's measurement is that of the SVSM or paravisor, and
    /// what boots is measured by its TPM.
    public var launchClass: LaunchClass {
        switch tpm?.keyTrust {
        case .svsmManifest, .paravisor: tpm?.keyTrust.launchClass ?? .hostVTPM
        case .teeReport, .ekCertificate, .vendorCertificate, .nothing, nil: .cpu
        }
    }

    /// Where the processor vouches for a VM's configuration; nil where it vouches for none.
    ///
    /// Below a paravisor the field is the provider's, and what lies within a measured image only a policy
    /// can say.
    public var configAnchor: ConfigAnchor? {
        guard tpm?.keyTrust != .paravisor else { return nil }
        switch hardware {
        case .snp(let snp): return snp.hostData.isZero ? nil : .hostData
        case .tdx(let tdx): return tdx.body.mrConfigID.isZero ? nil : .mrconfigid
        }
    }
}
