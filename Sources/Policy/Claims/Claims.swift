/// What was said of a launch, after every signature, chain and binding were found good.
///
/// Only the module `Verification` makes one; that is what the SPI is for. A policy can therefore never
/// be asked about evidence that nobody authenticated.
public struct Claims: Sendable, Equatable {
    /// What a processor says.
    public enum Hardware: Sendable, Equatable {
        /// AMD SEV-SNP.
        case snp(SNPClaims)
    }

    /// What the processor said.
    public let hardware: Hardware

    /// Puts authenticated parts together.
    @_spi(Verified)
    public init(hardware: Hardware) {
        self.hardware = hardware
    }

    /// What an SNP report said; nil on other hardware.
    public var snp: SNPClaims? {
        guard case .snp(let claims) = hardware else { return nil }
        return claims
    }

    /// The best class that a launch with this evidence can have.
    public var launchClass: LaunchClass { .cpu }
}
