import Bytes
import Evidence
import Linux
import OpenSSL
import Policy

/// A snapshot in a file.
struct SnapshotFile {
    /// The largest, in bytes.
    static let limit = 2 << 30
    /// The check of a snapshot's signature, in findings.
    static let signatureCheck = "snapshot signature"

    let path: String
    let snapshot: Snapshot
    /// SHA-256 of the file.
    let digest: FixedBytes<32>

    /// Reads the file part by part.
    init(_ path: String, _ option: String) throws(Failure) {
        var reader = SnapshotReader()
        var hash = RunningHash(.sha256)
        var fault: ParseError?
        do throws(SystemError) {
            let file = try FileDescriptor(path, .read)
            var rest = Self.limit
            while case let part = try file.read(upTo: 1 << 18), !part.isEmpty, fault == nil {
                rest -= part.count
                guard rest >= 0 else {
                    fault = .invalid(field: "snapshot", rule: "must have at most 2 GiB")
                    break
                }
                hash.update(part, count: part.count)
                fault = Self.fault { () throws(ParseError) in try reader.append(part[...]) }
            }
        } catch {
            throw Failure(.unusableInput, "\(option): \("\(error)".shown)")
        }
        self.path = path
        digest = FixedBytes(hash.finish()) ?? FixedBytes()
        do throws(ParseError) {
            if let fault { throw fault }
            snapshot = try reader.finish()
        } catch {
            throw Failure(.unusableInput, "\(option): \(path.shown): \("\(error)".shown)")
        }
    }

    private static func fault(_ body: () throws(ParseError) -> Void) -> ParseError? {
        do throws(ParseError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    /// Whether the owner signed the file: `FILE.sig` by `signer`, or by this user's own key.
    ///
    /// - Parameter signer: a public key or a certificate in a file; with one the signature has to be there.
    func signatureFinding(signer: String?) throws(Failure) -> Finding {
        let expected = "a signature of the owner's beside the snapshot"
        let place = path + ".sig"
        let isThere = File.exists(place)
        guard isThere || signer != nil else {
            return Self.notChecked(expected, "there is no \(place.shown)")
        }
        let own: VerificationKey?
        if let signer {
            own = try RuntimePolicyFile.key(signer, "--signer")
        } else {
            own = try OwnerKey.publicKey()
        }
        guard let key = own else {
            return Self.notChecked(expected, "no key to check it with; give --signer")
        }
        let name = "key \(OpenSSLHashing().sha256(key.subjectPublicKeyInfo).hex)"
        guard isThere else {
            return Finding(
                check: Self.signatureCheck, outcome: .refused, expected: "by \(name)",
                actual: "no file \(place)")
        }
        let signature = try EvidenceFile.read(place, "--snapshot", atMost: 4096)
        let holds = key.verify(
            derSignature: signature, overDigest: digest.bytes, scheme: .ecdsa(.sha256))
        return Finding(
            check: Self.signatureCheck, outcome: holds ? .ok : .refused, expected: "by \(name)",
            actual: holds ? name : "not by that key, or of another file")
    }

    private static func notChecked(_ expected: String, _ note: String) -> Finding {
        Finding(
            check: signatureCheck, outcome: .notChecked, expected: expected, actual: "-",
            note: note)
    }
}
