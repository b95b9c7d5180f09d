internal import Bytes
public import Evidence
public import OpenSSL
public import Policy

/// Reads runtime policies that come in a signed envelope.
public enum SignedRuntimePolicy {
    /// The policy in the envelope, if one of `keys` signed it; the finding `policy signature` says why not.
    ///
    /// ECDSA in DER with the hash that fits the curve, or RSASSA-PKCS1-v1_5 with SHA-256.
    public static func open(
        _ bytes: [UInt8], keys: [VerificationKey]
    ) -> (policy: IMARuntimePolicy?, finding: Finding) {
        do throws(ParseError) {
            let envelope = try DSSEEnvelope(parsing: bytes)
            guard envelope.payloadType == DSSEEnvelope.keylimePolicy else {
                throw .invalid(
                    field: "payloadType", rule: "must be \(DSSEEnvelope.keylimePolicy)")
            }
            let message = envelope.signedBytes
            let isSigned = envelope.signatures.contains { signature in
                keys.contains { verifies(signature, message, $0) }
            }
            guard isSigned else {
                return (nil, finding(false, "none of \(envelope.signatures.count) signatures is"))
            }
            let policy = try IMARuntimePolicy(parsing: envelope.payload)
            return (policy, finding(true, "one is"))
        } catch {
            return (nil, finding(false, "\(error)"))
        }
    }

    private static func verifies(
        _ signature: [UInt8], _ message: [UInt8], _ key: VerificationKey
    ) -> Bool {
        switch key.kind {
        case .rsa: key.verify(signature, over: message, scheme: .rsaPKCS1(.sha256))
        case .p256: key.verify(derSignature: signature, over: message, scheme: .ecdsa(.sha256))
        case .p384: key.verify(derSignature: signature, over: message, scheme: .ecdsa(.sha384))
        case .p521: key.verify(derSignature: signature, over: message, scheme: .ecdsa(.sha512))
        }
    }

    private static func finding(_ holds: Bool, _ actual: String) -> Finding {
        Finding(
            check: "policy signature", outcome: holds ? .ok : .refused,
            expected: "an envelope with a signature by one of the given keys", actual: actual)
    }
}
