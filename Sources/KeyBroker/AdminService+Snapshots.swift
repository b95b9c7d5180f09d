import AdminAPI
import BrokerCore
import Bytes
import Evidence
import Linux
import OpenSSL
import Store

/// Who has signed a snapshot that is to be registered, and whether that may be somebody new.
struct SnapshotSigning: Sendable {
    /// ECDSA over the file with SHA-256, in DER, and the SubjectPublicKeyInfo of its P-256 key.
    var signature: (bytes: [UInt8], key: [UInt8])?
    var replacesSigner = false

    /// SHA-256 of the key's SubjectPublicKeyInfo, where it has signed a file of that digest; nil where
    /// nobody has.
    func signer(of digest: FixedBytes<32>) throws(AdminFault) -> FixedBytes<32>? {
        guard let signature else { return nil }
        guard let key = try? VerificationKey(subjectPublicKeyInfo: signature.key),
            key.kind == .p256
        else {
            throw AdminFault(
                .invalid, "expected a SubjectPublicKeyInfo of a P-256 key, in hexadecimal",
                field: "key")
        }
        guard
            key.verify(
                derSignature: signature.bytes, overDigest: digest.bytes, scheme: .ecdsa(.sha256))
        else {
            throw AdminFault(
                .invalid, "expected this key's signature over the file, SHA-256 \(digest.hex)",
                field: "signature")
        }
        return OpenSSLHashing().sha256(signature.key)
    }
}

extension AdminService {
    func snapshot(_ id: String) async throws -> SnapshotRecord {
        guard let snapshot = try await runtime(id).snapshot else {
            throw AdminFault(.notFound, "there is no snapshot of \(id)")
        }
        return snapshot
    }

    /// The file as it was registered, and its size.
    func snapshotFile(_ id: String) async throws -> (file: OpenedSnapshot, size: Int64) {
        let snapshot = try await snapshot(id)
        return (try snapshots.open(snapshot.digest, of: id), snapshot.size)
    }

    /// Begins to take in a snapshot of an enrolled VM.
    func receiveSnapshot(_ id: String) async throws -> IncomingSnapshot {
        _ = try await vm(id)
        return try snapshots.receive(for: id)
    }

    /// Registers what came in.
    func register(
        _ incoming: IncomingSnapshot, for id: String, _ signing: SnapshotSigning
    ) async throws -> SnapshotRecord {
        let (snapshot, digest) = try incoming.finish()
        if let named = snapshot.details?.vm, named != id {
            throw AdminFault(.invalid, "expected \(id), got \(named)", field: "bootgate.vm")
        }
        let signer = try signing.signer(of: digest)
        let record = SnapshotRecord(
            vm: id, digest: digest.hex, size: Int64(incoming.count),
            files: snapshot.files?.count ?? 0, registered: Clock.realtime, signer: signer?.hex)
        let boot = BootRecord(of: snapshot)
        // Of two at a time, one would take the other's file for one that nobody knows.
        await registrations.enter()
        let changed: Bool
        do {
            try snapshots.keep(incoming, digest.hex, of: id)
            changed = try await register(record, boot, signing)
            snapshots.removeOthers(than: try await store.snapshots(of: id), of: id)
            await registrations.leave()
        } catch {
            await registrations.leave()
            throw error
        }
        guard changed else {
            let known = try await store.runtimeFacts(.init(vm: id, reportID: nil)).runtime.signer
            throw AdminFault(
                .conflict,
                "expected a signature by the key \(known?.hex ?? "-"), as of the first snapshot, got \(signer.map { "one by \($0.hex)" } ?? "none"); `bootgate snapshot --replace-signer` takes another",
                field: "key")
        }
        return record
    }

    /// Whether the row was written: false where another has signed the ones before.
    private func register(
        _ record: SnapshotRecord, _ boot: BootRecord?, _ signing: SnapshotSigning
    ) async throws -> Bool {
        let signer = record.signer.flatMap { FixedBytes<32>(hex: $0) }
        let changed = try await store.changeRuntime(of: record.vm, at: record.registered) {
            runtime in
            guard runtime.signer == nil || runtime.signer == signer || signing.replacesSigner
            else { return nil }
            runtime.signer = signer
            runtime.snapshot = record
            runtime.boot = boot
            return EventEntry(
                "snapshot registered",
                "SHA-256 \(record.digest), \(record.files) files"
                    + (record.signer.map { ", signed by \($0)" } ?? ", not signed"))
        }
        return changed != nil
    }
}

extension BootRecord {
    /// The boot that a snapshot was made in; nil where it does not say.
    init?(of snapshot: Snapshot) {
        var boot = BootRecord(
            resetCount: snapshot.header.tpmPolicy?.resetCount,
            restartCount: snapshot.header.tpmPolicy?.restartCount)
        if case .snp(let policy)? = snapshot.header.teePolicy {
            boot.reportID = policy.reportID?.hex
        }
        guard boot != BootRecord() else { return nil }
        self = boot
    }
}
