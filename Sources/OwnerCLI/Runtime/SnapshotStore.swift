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
        try taken.move(to: path)
        var digest = taken.file.digest
        if isForCosmian { digest = try rewrite(taken.file.snapshot, path) }
        let signature = try owner.sign(digest: digest)
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
        _ written: Written, for vm: String, _ broker: AdminClient
    ) throws(Failure) -> SnapshotRecord {
        let file = try EvidenceFile.read(
            written.path, "--output", atMost: SnapshotFile.limit)
        return try broker.register(
            file, for: vm, signature: written.signature, key: written.key)
    }

    /// Writes what Cosmian's programs know of a snapshot; its digest.
    private static func rewrite(
        _ snapshot: Snapshot, _ path: String
    ) throws(Failure) -> FixedBytes<32> {
        var hash = RunningHash(.sha256)
        do throws(SystemError) {
            let file = try TemporaryFile(beside: path)
            var fault: SystemError?
            snapshot.write(isForCosmian: true) { part in
                guard fault == nil else { return }
                hash.update(part, count: part.count)
                do throws(SystemError) { try file.write(part) } catch { fault = error }
            }
            if let fault { throw fault }
            try file.move(to: path)
        } catch {
            throw Failure(.unusableInput, "\(path.shown): \("\(error)".shown)")
        }
        return FixedBytes(hash.finish()) ?? FixedBytes()
    }
}
