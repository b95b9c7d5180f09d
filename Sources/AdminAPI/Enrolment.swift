public import Bytes

/// Body of `PUT /v1/vms/{id}`: everything the broker has to know to open a VM's gate.
///
/// It holds the disk's passphrase and the proof key, so it is no `Codable`: ``json()`` writes the
/// text inside the secret arena, and the broker takes both secrets out of the received bytes before
/// any JSON decoder sees them.
public struct Enrolment: ~Copyable, Sendable {
    /// The fields that are not secret.
    public var terms: EnrolmentTerms
    /// The passphrase of the keyslot, 1 to 512 bytes.
    public let key: SecretBytes
    /// The key of proofs of unlock: HKDF-SHA256(volume key, salt empty, `bootgate proof`), 32 bytes.
    public let proofKey: SecretBytes

    /// Puts an enrolment together.
    public init(
        terms: EnrolmentTerms, key: consuming SecretBytes, proofKey: consuming SecretBytes
    ) {
        self.terms = terms
        self.key = key
        self.proofKey = proofKey
    }

    /// The request body: one JSON object, the secrets in Base64 as its last two members.
    public borrowing func json() -> SecretBytes {
        let open = terms.jsonMembers()
        let secrets = (key.count + 2) / 3 * 4 + (proofKey.count + 2) / 3 * 4
        var writer = SecretWriter(capacity: open.utf8.count + secrets + 64)
        writer.append("{\(open),\"proofKey\":\"".utf8)
        writer.append(base64: proofKey)
        writer.append("\",\"key\":\"".utf8)
        writer.append(base64: key)
        writer.append("\"}".utf8)
        return writer.finish()
    }
}

/// The part of an ``Enrolment`` that is not secret.
public struct EnrolmentTerms: Codable, Equatable, Sendable {
    /// Name of a policy that the broker has.
    public var policy: String
    /// SHA-256 of `gateConf`, in hexadecimal.
    public var configDigest: String
    /// The text of the VM's `gate.conf`, at most 8 KiB.
    public var gateConf: String
    /// UUID of the LUKS2 volume.
    public var luksUUID: String
    /// Name of the key, as in `gate.conf`.
    public var keyName: String
    /// The keyslot that the key opens, 0 to 31.
    public var keyslot: Int
    /// Digest of the LUKS2 header as of design section 3, in hexadecimal.
    public var headerDigest: String
    /// HKDF-SHA256(volume key, salt empty, `bootgate vk id`), 32 bytes in Base64.
    public var volumeKeyCheck: String

    /// Puts the terms together.
    public init(
        policy: String, configDigest: String, gateConf: String, luksUUID: String, keyName: String,
        keyslot: Int, headerDigest: String, volumeKeyCheck: String
    ) {
        self.policy = policy
        self.configDigest = configDigest
        self.gateConf = gateConf
        self.luksUUID = luksUUID
        self.keyName = keyName
        self.keyslot = keyslot
        self.headerDigest = headerDigest
        self.volumeKeyCheck = volumeKeyCheck
    }

    fileprivate func jsonMembers() -> String {
        let texts = [
            ("policy", policy), ("configDigest", configDigest), ("gateConf", gateConf),
            ("luksUUID", luksUUID), ("keyName", keyName), ("headerDigest", headerDigest),
            ("volumeKeyCheck", volumeKeyCheck),
        ]
        let members = texts.map { name, value in "\"\(name)\":\(Self.quoted(value))" }
        return (members + ["\"keyslot\":\(keyslot)"]).joined(separator: ",")
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                result += "\\u00" + Hex.encode([UInt8(scalar.value)])
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
