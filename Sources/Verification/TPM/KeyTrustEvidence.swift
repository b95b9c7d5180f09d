public import Bytes
public import Evidence
public import OpenSSL

/// What a caller has that may vouch for an attestation key.
public enum KeyTrustEvidence: Sendable {
    /// Nothing: the class is `host-vtpm` at best.
    case nothing
    /// The name of the key, out of a binding that an authenticated report of the processor is over
    /// (`attestation_key_name` of EVIDENCE). Give it only after that report's verifier made claims.
    case teeReport(keyName: [UInt8])
    /// The services' manifest of an SVSM, whose REPORT_DATA (``SVSMManifest/reportData(nonce:manifest:)``)
    /// the SNP verifier was made to expect, and made claims; and what ties the key to the manifest's.
    case svsmManifest(SVSMManifest)
    /// The certificate of the TPM's endorsement key, and the answer to a credential for the key.
    case endorsementCertificate(EndorsementCertificateEvidence)
    /// A vendor's certificate of the key itself, leaf first, up to the root; and lists of its issuers.
    case vendorCertificate(chain: [X509Certificate], revocationLists: [X509CRL])
}

/// An SVSM's manifest for its vTPM, which the processor's report covers.
///
/// Format: COCONUT-SVSM, attestation protocol, service c476f1eb-0123-45a5-9641-b4e7dde5bfe3: the manifest is
/// the TPMT_PUBLIC of the vTPM's endorsement key.
public struct SVSMManifest: Sendable {
    /// TPMT_PUBLIC of the endorsement key, as it came.
    public let bytes: [UInt8]
    /// VMPL of the authenticated report; an SVSM asks at level 0, which its guest cannot.
    public let reportVMPL: UInt32
    /// What ties the attestation key to the endorsement key; nil where the manifest's key itself signs.
    public let activation: KeyActivation?

    /// Takes everything as given.
    public init(bytes: [UInt8], reportVMPL: UInt32, activation: KeyActivation? = nil) {
        self.bytes = bytes
        self.reportVMPL = reportVMPL
        self.activation = activation
    }

    /// What REPORT_DATA has to be: SHA-512(nonce || manifest).
    public static func reportData(
        nonce: FixedBytes<64>, manifest: [UInt8]
    ) -> FixedBytes<64> {
        OpenSSLHashing().sha512(nonce.bytes + manifest)
    }
}

/// An endorsement key with its certificates, and what ties an attestation key to it.
public struct EndorsementCertificateEvidence: Sendable {
    /// Leaf first, up to the manufacturer's root.
    public let chain: [X509Certificate]
    /// Lists of the chain's issuers.
    public let revocationLists: [X509CRL]
    /// The key that the leaf is for.
    public let endorsementKey: TPMPublic
    /// The answer to a credential for the attestation key.
    public let activation: KeyActivation?

    /// Takes everything as given.
    public init(
        chain: [X509Certificate], revocationLists: [X509CRL] = [], endorsementKey: TPMPublic,
        activation: KeyActivation?
    ) {
        self.chain = chain
        self.revocationLists = revocationLists
        self.endorsementKey = endorsementKey
        self.activation = activation
    }
}
