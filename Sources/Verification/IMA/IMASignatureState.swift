internal import Bytes
internal import Evidence
internal import OpenSSL

/// How an entry's signature stands to the keys that count.
enum IMASignatureState {
    /// By one of the keys.
    case valid
    /// There is none.
    case absent
    /// By a key that is not among them.
    case unknownKey(String)
    /// No signature at all, or none of this file.
    case bad(String)

    init(_ entry: borrowing IMAEntry, _ keys: [FileSigningKey]) {
        guard !entry.signature.isEmpty else {
            self = .absent
            return
        }
        let bytes = Array(entry.data[entry.signature])
        // A hash alone may stand in security.ima too: kinds 1 and 4.
        if bytes.first == 1 || bytes.first == 4 {
            self = .absent
            return
        }
        let signature: IMASignature
        do throws(ParseError) {
            signature = try IMASignature(parsing: bytes)
        } catch {
            self = .bad("has a malformed signature: \(error)")
            return
        }
        guard entry.algorithm == signature.hash else {
            self = .bad("has a signature of another hash function than its digest's")
            return
        }
        let own = keys.filter { $0.identifiers.contains(signature.keyIdentifier) }
        guard !own.isEmpty else {
            let name = String(signature.keyIdentifier, radix: 16)
            self = .unknownKey("has a signature by an unknown key 0x\(name)")
            return
        }
        let digest = signature.signedDigest(
            of: Array(entry.data[entry.digest]), OpenSSLHashing())
        let isValid = own.contains {
            $0.verify(signature.signature, overDigest: digest, signature.hash)
        }
        self = isValid ? .valid : .bad("has a signature that does not verify")
    }
}
