import Bytes
import Evidence
import Linux
import OpenSSL
import Policy
import Verification

/// An IMA log in a file, read in parts, so that a long one needs no more memory than a short one.
enum IMALogFile {
    /// The longest log, in bytes: some ten million files.
    static let limit = 2 << 30

    static func verify(
        _ path: String, _ expectations: IMAExpectations
    ) throws(Failure) -> IMAResult {
        var verifier = IMAVerifier(expectations)
        var total = 0
        do throws(SystemError) {
            let file = try FileDescriptor(path, .read)
            while total <= limit, !verifier.isUnreadable {
                let part = try file.read(upTo: 1 << 18)
                if total == 0, (try? IMALogForm(detecting: part)) == nil { break }
                if part.isEmpty { return verifier.finish() }
                total += part.count
                verifier.append(part[...])
            }
        } catch {
            let name = error.subject.isEmpty ? "\(path): " : ""
            throw Failure(.unusableInput, "--log: \("\(name)\(error)".shown)")
        }
        // What is behind an entry that cannot be read is not worth reading.
        if verifier.isUnreadable { return verifier.finish() }
        throw Failure(
            .unusableInput,
            total == 0
                ? "--log: \(path.shown) is not an IMA log"
                : "--log: \(path.shown): a log of more than 2 GiB")
    }
}

/// A runtime policy in a file, signed or not.
enum RuntimePolicyFile {
    /// The policy, and what came of its signature where keys are given.
    static func read(
        _ path: String?, keys paths: [String]
    ) throws(Failure) -> (policy: IMARuntimePolicy?, findings: [Finding]) {
        guard let path else { return (nil, []) }
        let option = "--runtime-policy"
        let bytes = try EvidenceFile.read(
            path, option, atMost: 2 * IMARuntimePolicy.maximumByteCount)
        guard paths.isEmpty else {
            let opened = SignedRuntimePolicy.open(bytes, keys: try keys(paths))
            return (opened.policy, [opened.finding])
        }
        guard (try? DSSEEnvelope(parsing: bytes)) == nil else {
            throw Failure(
                .unusableInput, "\(option): \(path.shown) is signed; give the key as --policy-key")
        }
        let policy = try EvidenceFile.parse(path, option) { () throws(ParseError) in
            try IMARuntimePolicy(parsing: bytes)
        }
        return (policy, [])
    }

    private static func keys(_ paths: [String]) throws(Failure) -> [VerificationKey] {
        var keys: [VerificationKey] = []
        for path in paths { keys.append(try key(path, "--policy-key")) }
        return keys
    }

    /// A public key in PEM or DER, or that of a certificate.
    static func key(_ path: String, _ option: String) throws(Failure) -> VerificationKey {
        let bytes = try EvidenceFile.read(path, option, atMost: 64 << 10)
        let certificate = try? X509Certificate(derOrPEM: bytes)
        guard
            let key = (try? VerificationKey(pem: bytes))
                ?? (try? VerificationKey(subjectPublicKeyInfo: bytes))
                ?? certificate.flatMap({ try? VerificationKey(of: $0) })
        else {
            throw Failure(
                .unusableInput,
                "\(option): \(path.shown): expected a public key or a certificate")
        }
        return key
    }
}
