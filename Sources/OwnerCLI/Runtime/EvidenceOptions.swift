import ArgumentParser
import Authenticators
import Bytes
import Endorsements
import OpenSSL
import Verification

/// What the evidence of a running VM is authenticated with: what a broker authenticates a launch with.
struct EvidenceOptions: ParsableArguments {
    @OptionGroup var directory: EndorsementDirectoryOption
    @OptionGroup var roots: RootOptions

    /// Reads every kind of evidence.
    func authenticator() throws(Failure) -> PlatformAuthenticator {
        // A root that was named is for the kinds of evidence that it fits, and replaces the vendors'.
        let amd = try roots.anchors(TrustAnchor.amd, as: RootOptions.families)
        let snp = SNPVerifier(anchors: amd)
        let tdx = TDXVerifier(anchors: try roots.intel())
        let cache = directory.endorsements.map { EndorsementCache($0) }
        let plain = SNPAuthenticator(
            verifier: snp, directory: cache.map { CertificateDirectory($0) })
        let quotes = TDXAuthenticator(verifier: tdx, cache: cache)
        return PlatformAuthenticator([
            plain, quotes, SVSMAuthenticator(plain),
            AzureAuthenticator(
                verifier: AzureVerifier(snp: snp, tdx: tdx), snp: plain, tdx: quotes),
        ])
    }
}
