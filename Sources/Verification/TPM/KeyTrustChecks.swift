import Bytes
import Evidence
import OpenSSL
import Policy

/// Judges what vouches for one attestation key.
struct KeyTrustChecks {
    let key: AttestationKey
    let evidence: KeyTrustEvidence
    let anchors: [TrustAnchor]
    /// Unix seconds, by the verifier's own clock.
    let time: Int64

    /// What is known of the key, once ``findings`` hold.
    var trust: AttestationKeyTrust {
        switch evidence {
        case .nothing: .nothing
        case .teeReport: .teeReport
        case .svsmManifest: .svsmManifest
        case .endorsementCertificate: .ekCertificate
        case .vendorCertificate: .vendorCertificate
        }
    }

    /// The findings on certificates, then the one of ``TPMCheck/keyTrust``.
    var findings: [Finding] {
        let noCertificates = KeyCertificateChain.absent("the key's trust rests on no certificate")
        switch evidence {
        case .nothing:
            return noCertificates + [
                TPMCheck.keyTrust.notChecked(
                    expected: Self.expected, because: "nothing vouches for the key")
            ]
        case .teeReport(let name):
            return noCertificates + [teeReport(name)]
        case .svsmManifest(let manifest):
            return noCertificates + [finding("the SVSM's manifest", faults(of: manifest))]
        case .endorsementCertificate(let endorsement):
            let chain = KeyCertificateChain(
                certificates: endorsement.chain, use: .endorsement, anchors: anchors,
                revocationLists: endorsement.revocationLists, time: time)
            return chain.findings + [finding("an endorsement key", faults(of: endorsement))]
        case .vendorCertificate(let certificates, let lists):
            let chain = KeyCertificateChain(
                certificates: certificates, use: .attestation, anchors: anchors,
                revocationLists: lists, time: time)
            let isOwn = Self.isKey(key.key, of: certificates.first)
            return chain.findings + [
                finding(
                    "a vendor's certificate", isOwn ? [] : ["the certificate is for another key"])
            ]
        }
    }

    private static let expected = "something that is believed vouches for the key"

    private func finding(_ source: String, _ faults: [String]) -> Finding {
        TPMCheck.keyTrust.finding(
            faults.isEmpty, expected: Self.expected,
            actual: faults.isEmpty ? source : faults.joined(separator: "; "))
    }

    private func teeReport(_ name: [UInt8]) -> Finding {
        let own = key.name?.bytes
        return TPMCheck.keyTrust.finding(
            own == name, expected: "the key that the report's binding names, \(Hex.encode(name))",
            actual: own.map { Hex.encode($0) } ?? "a key without its public area, so without a name"
        )
    }

    private func faults(of manifest: SVSMManifest) -> [String] {
        var faults: [String] = []
        if manifest.reportVMPL != 0 {
            faults.append("the report was asked for at VMPL \(manifest.reportVMPL), not at 0")
        }
        do throws(ParseError) {
            let endorsementKey = try TPMPublic(parsing: manifest.bytes)
            // An SVSM may let the key of its manifest sign by itself.
            if manifest.activation == nil, endorsementKey.bytes == key.publicArea?.bytes {
                return faults
            }
            faults += self.faults(of: manifest.activation, endorsementKey)
        } catch {
            faults.append("the manifest is no TPMT_PUBLIC: \(error)")
        }
        return faults
    }

    private func faults(of endorsement: EndorsementCertificateEvidence) -> [String] {
        var faults = self.faults(of: endorsement.activation, endorsement.endorsementKey)
        let numbers = try? endorsement.endorsementKey.verificationKey
        if numbers.map({ Self.isKey($0, of: endorsement.chain.first) }) != true {
            faults.append("the certificate is for another endorsement key")
        }
        return faults
    }

    private func faults(
        of activation: KeyActivation?, _ endorsementKey: TPMPublic
    ) -> [String] {
        guard let activation else {
            return ["the key is not tied to the endorsement key: no credential was activated"]
        }
        var faults: [String] = []
        if activation.endorsementKey != endorsementKey.name(hashing: OpenSSLHashing()) {
            faults.append("the credential was for another endorsement key")
        }
        if activation.attestationKey != key.name {
            faults.append("the credential was for another attestation key")
        }
        return faults
    }

    private static func isKey(_ key: VerificationKey, of certificate: X509Certificate?) -> Bool {
        certificate.map {
            $0.subjectPublicKeyInfoDigest
                == OpenSSLHashing().sha256(key.subjectPublicKeyInfo)
        } ?? false
    }
}
