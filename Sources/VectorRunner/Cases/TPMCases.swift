import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// TPM quotes, and certificates of attestation keys by themselves.
struct TPMCases {
    let files: CaseFiles

    /// A quote with the public half of its key, maybe with values, a log, or the key's certificate.
    func quote() throws(VectorFault) -> Verdict {
        try files.one.require(onlyPolicy: ["forbid_sha1_bank"])
        let quoted = try quoted(key: attestationKey(), values: values())
        guard quoted.result.claims != nil else { return quoted.verdict }
        if let name = files.one.inputs["event_log"]?.string {
            let registers = RegisterValues(try values() ?? PCRValues())
            return EventLogCases(files: files)
                .verdict(try files.named(name), from: .tpm, registers: registers)
        }
        return quoted.verdict
    }

    /// A certificate of an attestation key and its issuers, without a quote.
    func certificate() throws(VectorFault) -> Verdict {
        var chain = [try certificate(files.required("ak-certificate"))]
        for path in files.entry.paths(role: "issuer-certificate") {
            chain.append(try certificate(files.folder.read(path)))
        }
        let given = try files.givenAnchor()
        let anchors = given.map(Self.anchor) ?? TrustAnchor.google
        let result = TPMQuoteVerifier(anchors: anchors).verify(
            TPMQuoteVerifier.Quote(attestation: [], signature: .structure([]), values: nil),
            key: try key(of: chain[0]),
            trust: .vendorCertificate(chain: chain, revocationLists: []),
            expected: TPMQuoteVerifier.Expectation(nonce: nil), at: files.one.time ?? 0)
        let own: Set<String> = Set(
            [.keyChain, .keyRoot, .keyDates, .keyRevocation, .keyTrust].map(\TPMCheck.rawValue))
        return Verdict(
            result.findings.filter { own.contains($0.check) }, chain, at: files.one.time ?? 0)
    }

    /// What was made of a quote, and of the policy's rule about SHA-1.
    struct Quoted {
        let result: TPMResult
        let verdict: Verdict
    }

    /// Verifies the entry's quote over the nonce of the case.
    func quoted(
        key: AttestationKey, values: PCRValues?
    ) throws(VectorFault) -> Quoted {
        let nonce = try files.one.bytes("nonce")
        var trust = KeyTrustEvidence.nothing
        var anchors: [TrustAnchor] = []
        var chain: [X509Certificate] = []
        if let root = try files.givenAnchor() {
            chain = [
                try certificate(files.required("ak-certificate")),
                try certificate(files.required("ak-issuer-certificate")),
            ]
            trust = .vendorCertificate(chain: chain, revocationLists: [])
            anchors = Self.anchor(root)
        }
        let time = files.one.time ?? 0
        let result = TPMQuoteVerifier(anchors: anchors).verify(
            TPMQuoteVerifier.Quote(
                attestation: try files.required("tpms-attest"),
                signature: .structure(try files.required("tpmt-signature")), values: values),
            key: key, trust: trust,
            expected: TPMQuoteVerifier.Expectation(nonce: nonce, nonceIsOptional: nonce == nil),
            at: time)
        if files.one.flag("forbid_sha1_bank"), result.claims != nil,
            let weak = result.weakAlgorithms.first
        {
            return Quoted(
                result: result,
                verdict: .reject(reason: "weak-algorithm", detail: "the quote rests on a \(weak)"))
        }
        return Quoted(result: result, verdict: Verdict(result.findings, chain, at: time))
    }

    /// The values beside the quote; nil where there are none.
    func values() throws(VectorFault) -> PCRValues? {
        let json = try files.optional("pcr-values")
        let tools = try files.optional("tpm2-tools-pcr-file")
        do throws(ParseError) {
            if let json { return try PCRValues(json: json) }
            if let tools { return try PCRValues(toolsFile: tools) }
            return nil
        } catch {
            throw VectorFault("pcr-values: \(error)")
        }
    }

    private func attestationKey() throws(VectorFault) -> AttestationKey {
        let structure = try files.optional("ak-tpmt-public")
        let sized = try files.optional("ak-tpm2b-public")
        let plain = try files.optional("ak-public-key-spki")
        do {
            if let structure {
                return try AttestationKey(publicArea: TPMPublic(parsing: structure))
            }
            if let sized { return try AttestationKey(publicArea: TPMPublic(parsingSized: sized)) }
            if let plain {
                return AttestationKey(key: try VerificationKey(subjectPublicKeyInfo: plain))
            }
        } catch {
            throw VectorFault("attestation key: \(error)")
        }
        return try key(of: certificate(files.required("ak-certificate")))
    }

    func certificate(_ bytes: [UInt8]) throws(VectorFault) -> X509Certificate {
        do throws(X509Error) {
            return try X509Certificate(derOrPEM: bytes)
        } catch {
            throw VectorFault("certificate: \(error)")
        }
    }

    func key(of certificate: X509Certificate) throws(VectorFault) -> AttestationKey {
        do throws(CryptoError) {
            return AttestationKey(key: try VerificationKey(of: certificate))
        } catch {
            throw VectorFault("certificate: \(error)")
        }
    }

    private static func anchor(_ root: X509Certificate) -> [TrustAnchor] {
        [
            TrustAnchor(
                name: "given", family: .attestationKey, keyDigest: root.subjectPublicKeyInfoDigest)
        ]
    }
}
