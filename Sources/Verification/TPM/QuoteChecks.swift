import Bytes
import Evidence
import OpenSSL
import Policy

/// The checks of one quote that can be read, in the order in which an owner reads them.
struct QuoteChecks {
    let attestation: TPMAttestation
    let signature: TPMSignature
    let key: AttestationKey

    /// Over the bytes as they came, by the scheme that the signature names.
    var signatureFinding: Finding {
        let expected = "made by the attestation key"
        let scheme: VerificationKey.Scheme
        let number: [UInt8]?
        switch signature.value {
        case .rsassa(let bytes):
            scheme = .rsaPKCS1(signature.hash)
            number = bytes
        case .rsapss(let bytes):
            scheme = .rsaPSS(signature.hash)
            number = bytes
        case .ecdsa(let r, let s):
            scheme = .ecdsa(signature.hash)
            number = padded(r, s)
        }
        if let fixed = key.publicArea?.scheme, fixed != signature.scheme {
            return TPMCheck.signature.finding(
                false, expected: expected,
                actual: "\(signature.schemeName), which the key is not made for")
        }
        let holds = number.map {
            key.key.verify($0, over: attestation.signedBytes, scheme: scheme)
        }
        return TPMCheck.signature.finding(
            holds ?? false, expected: expected,
            actual: holds == true
                ? signature.schemeName : "\(signature.schemeName), not by this key")
    }

    /// r || s as long as the curve wants them; nil for numbers that no key of this curve makes.
    private func padded(_ r: [UInt8], _ s: [UInt8]) -> [UInt8]? {
        let size: Int
        switch key.key.kind {
        case .p256: size = 32
        case .p384: size = 48
        case .p521: size = 66
        case .rsa: return nil
        }
        guard r.count <= size, s.count <= size else { return nil }
        let zeros = [UInt8](repeating: 0, count: size)
        return zeros.dropLast(r.count) + r + zeros.dropLast(s.count) + s
    }

    /// A key that may sign a caller's bytes could sign a caller's quote.
    var keyFinding: Finding {
        let wanted: TPMKeyAttributes = [
            .restricted, .sign, .fixedTPM, .fixedParent, .sensitiveDataOrigin,
        ]
        let expected = "\(wanted), not decrypt"
        guard let area = key.publicArea else {
            return TPMCheck.key.notChecked(
                expected: expected, because: "only the key's numbers are known")
        }
        let holds =
            area.attributes.isSuperset(of: wanted)
            && area.attributes.isDisjoint(with: [.decrypt, .x509Sign])
        return TPMCheck.key.finding(holds, expected: expected, actual: "\(area.attributes)")
    }

    /// extraData against what this session wants, whole.
    func nonce(_ expected: [UInt8]?) -> Finding {
        let actual = attestation.extraData.isEmpty ? "empty" : Hex.encode(attestation.extraData)
        guard let expected else {
            return TPMCheck.nonce.notChecked(
                expected: "this session's nonce", actual: actual, because: "nobody asked for one")
        }
        return TPMCheck.nonce.finding(
            expected == attestation.extraData,
            expected: expected.isEmpty ? "empty" : Hex.encode(expected), actual: actual)
    }

    /// pcrSelect against the wanted registers: neither fewer nor more.
    func selection(_ wanted: PCRSelection?) -> Finding {
        guard let wanted else {
            return TPMCheck.selection.notChecked(
                expected: "the registers that were asked for",
                actual: "\(attestation.selection)", because: "nobody asked for registers")
        }
        return TPMCheck.selection.finding(
            wanted.selectsSame(as: attestation.selection), expected: "\(wanted)",
            actual: "\(attestation.selection)")
    }

    /// pcrDigest over the claimed values, by the hash function of the signing scheme (not of a bank).
    func digest(_ values: PCRValues?) -> Finding {
        let expected = "\(Hex.encode(attestation.pcrDigest)) over \(attestation.selection)"
        guard let values else {
            return TPMCheck.digest.notChecked(expected: expected, because: "no values were given")
        }
        guard let message = values.concatenated(attestation.selection) else {
            let given = values.selection.map { "\($0)" } ?? "none"
            return TPMCheck.digest.finding(
                false, expected: expected, actual: "values of \(given) only")
        }
        let digest = OpenSSLHashing().digest(signature.hash, message)
        return TPMCheck.digest.finding(
            digest == attestation.pcrDigest, expected: expected, actual: Hex.encode(digest))
    }

    /// Where SHA-1 is relied on, in words for an owner; empty where it is not.
    var weakAlgorithms: [String] { weakSigning + weakBanks }

    /// Collisions let two quotes, or two keys, share a signature or a name.
    private var weakSigning: [String] {
        var weak: [String] = []
        if signature.hash == .sha1 { weak.append("signature by SHA-1") }
        if key.publicArea?.nameAlgorithm == .sha1 { weak.append("key name by SHA-1") }
        return weak
    }

    /// Collisions let one register stand for two boots.
    private var weakBanks: [String] {
        attestation.selection.banks.contains { $0.algorithm == .sha1 } ? ["SHA-1 bank"] : []
    }

    /// A weak signature is refused; whether a weak bank is enough is a policy's matter.
    func algorithms(allowed: Bool) -> Finding {
        let expected = "no SHA-1"
        guard !weakAlgorithms.isEmpty else {
            return TPMCheck.algorithms.finding(
                true, expected: expected,
                actual: "\(signature.schemeName), \(attestation.selection)")
        }
        let actual = weakAlgorithms.joined(separator: ", ")
        guard weakSigning.isEmpty || allowed else {
            return TPMCheck.algorithms.finding(false, expected: expected, actual: actual)
        }
        return TPMCheck.algorithms.notChecked(
            expected: expected, actual: actual, because: "a policy says whether that is enough")
    }
}

extension TPMSignature {
    /// The scheme as a public area names it.
    fileprivate var scheme: TPMPublic.Scheme {
        switch value {
        case .rsassa: .rsassa(hash)
        case .rsapss: .rsapss(hash)
        case .ecdsa: .ecdsa(hash)
        }
    }
}
