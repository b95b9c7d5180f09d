import Bytes
import Evidence
import OpenSSL
import Verification

/// Files of a TPM's quote.
enum TPMQuoteFile {
    /// TPMS_ATTEST begins with TPM_GENERATED_VALUE.
    static func read(_ path: String, _ option: String) throws(Failure) -> [UInt8] {
        try EvidenceFile.evidence(path, option, atMost: 64 << 10, "a TPM's quote (TPMS_ATTEST)") {
            $0.starts(with: [0xff, 0x54, 0x43, 0x47])
        }
    }

    /// TPMT_SIGNATURE, or a bare number of 2048, 3072 or 4096 bits: no structure has such a length.
    static func signature(
        _ path: String, _ option: String
    ) throws(Failure) -> TPMQuoteVerifier.Quote.Signature {
        let bytes = try EvidenceFile.read(path, option, atMost: 64 << 10)
        return [256, 384, 512].contains(bytes.count) ? .bareRSASSASHA256(bytes) : .structure(bytes)
    }
}

/// The public half of a TPM's key, in whichever form it lies in a file.
struct TPMKeyFile {
    let key: AttestationKey
    let certificate: X509Certificate?

    init(_ path: String, _ option: String) throws(Failure) {
        let bytes = try EvidenceFile.read(path, option, atMost: 64 << 10)
        if let area = (try? TPMPublic(parsing: bytes)) ?? (try? TPMPublic(parsingSized: bytes)),
            let key = try? AttestationKey(publicArea: area)
        {
            self.key = key
            certificate = nil
        } else if let certificate = try? X509Certificate(derOrPEM: bytes),
            let key = try? VerificationKey(of: certificate)
        {
            self.key = AttestationKey(key: key)
            self.certificate = certificate
        } else if let key = (try? VerificationKey(pem: bytes))
            ?? (try? VerificationKey(subjectPublicKeyInfo: bytes))
        {
            self.key = AttestationKey(key: key)
            certificate = nil
        } else {
            throw Failure(
                .unusableInput,
                "\(option): \(path.shown): expected TPMT_PUBLIC, TPM2B_PUBLIC, a public key or a "
                    + "certificate")
        }
    }

    /// What vouches for the key: its certificates, or nothing.
    func trust(
        issuers: [String], _ option: String, key: String
    ) throws(Failure) -> KeyTrustEvidence {
        guard !issuers.isEmpty else { return .nothing }
        guard let certificate else {
            throw Failure(.unusableInput, "\(option): \(key) is not a certificate")
        }
        var chain = [certificate]
        for path in issuers { chain.append(try EvidenceFile.certificate(path, option)) }
        return .vendorCertificate(chain: chain, revocationLists: [])
    }
}
