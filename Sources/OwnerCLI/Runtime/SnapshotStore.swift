import AdminAPI
import Bytes
import Evidence
import Linux
import OpenSSL

/// Where verified snapshots go: a file with its signature, and the broker.
enum SnapshotStore {
    /// A file that is in its place.
    struct Written {
        let path: String
        let digest: FixedBytes<32>
        let signature: [UInt8]
        /// DER SubjectPublicKeyInfo.
        let key: [UInt8]
    }

    /// Puts a snapshot in its place and signs it.
    static func keep(
        _ taken: SnapshotTaker.Taken, at path: String, isForCosmian: Bool = false,
        _ owner: borrowing OwnerKey
    ) throws(Failure) -> Written {
        let digest = isForCosmian ? try taken.reduceForCosmian() : taken.file.digest
        let signature = try owner.sign(digest: digest)
        try taken.move(to: path)
        do throws(SystemError) {
            try File.writeAtomically(path + ".sig", signature, mode: 0o644)
        } catch {
            throw Failure(.unusableInput, "\(path.shown).sig: \("\(error)".shown)")
        }
        return Written(
            path: path, digest: digest, signature: signature,
            key: try owner.publicKey().subjectPublicKeyInfo)
    }

    /// Registers it with the broker for `vm`.
    static func register(
        _ written: Written, for vm: String, replacesSigner: Bool, _ broker: AdminClient
    ) throws(Failure) -> SnapshotRecord {
        do throws(Failure) {
            let file = try EvidenceFile.read(
                written.path, "--output", atMost: SnapshotFile.limit)
            return try broker.register(
                file, for: vm, signature: written.signature, key: written.key,
                replacesSigner: replacesSigner)
        } catch {
            throw Failure(
                error.status,
                "\(written.path.shown) is written and signed, but not registered: \(error.message)",
                next: error.next)
        }
    }
}
