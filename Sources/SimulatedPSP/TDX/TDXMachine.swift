import Bytes
import OpenSSL

/// One simulated machine with its vendor: what quotes and collateral are made of.
struct TDXMachine: Sendable {
    let platform: TDXPlatform
    let authority: TDXAuthority
    let keys: Keys
    /// DER of the PCK certificate.
    let pck: [UInt8]
    /// When the certificates were made, seconds since 1970 UTC.
    let made: Int64

    /// The keys of the machine itself.
    final class Keys: Sendable {
        let pck: SigningKey
        let attestation: SigningKey

        init(pck: consuming SigningKey, attestation: consuming SigningKey) {
            self.pck = pck
            self.attestation = attestation
        }

        convenience init() throws(CryptoError) {
            self.init(
                pck: try SigningKey.generate(.p256), attestation: try SigningKey.generate(.p256))
        }
    }

    init(
        platform: TDXPlatform, authority: TDXAuthority, keys: Keys, pck: [UInt8], made: Int64
    ) {
        self.platform = platform
        self.authority = authority
        self.keys = keys
        self.pck = pck
        self.made = made
    }

    /// A machine that `authority` endorses, with keys of its own.
    init(_ platform: TDXPlatform, under authority: TDXAuthority, now: Int64) throws(CryptoError) {
        let keys = try Keys()
        self.init(
            platform: platform, authority: authority, keys: keys,
            pck: try authority.endorse(platform, key: keys.pck, now: now), made: now)
    }

    /// PCK certificate, its CA and the root, as a quote carries them.
    var chain: [UInt8] { TDXAuthority.pem([pck, authority.platformCA, authority.root]) }

    /// A quote over `body`.
    func quote(
        version: UInt16, _ generation: TDXGeneration, body: [UInt8],
        faults: QuotingEnclave.Faults = QuotingEnclave.Faults()
    ) throws(CryptoError) -> [UInt8] {
        try QuotingEnclave(machine: self).quote(
            version: version, generation, body: body, faults: faults)
    }

    /// What the vendor's service says of the machine.
    func collateral(_ order: PCSCollateral.Order) throws(CryptoError) -> PCSCollateral {
        try PCSCollateral(
            order, for: platform, pck: TDXAuthority.pckTemplate(platform, now: made),
            authority: authority)
    }
}
