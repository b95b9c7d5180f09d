import BrokerLink
import Bytes
import LUKS
import Linux
import OpenSSL
import Protocol

/// A sealed key as it came, with what it has to fit.
struct ReleasedKey {
    let release: Release
    let binding: FixedBytes<64>
    let challenge: Challenge
}

/// Why a released key did not open the disk, in the words that the owner's ledger gets.
struct OpeningError: Error, Equatable {
    let reason: FailureReason
    let detail: String
}

/// Opens the root disk with a released key, from the header copy in memory and by one keyslot.
struct DiskOpening {
    let disk: RootDisk
    let config: GateConfig
    let activates: Bool
    let hashing: any Hashing

    /// Opens and maps; returns the proof. Key, passphrase and volume key are wiped before it returns
    /// or throws.
    func open(
        _ key: ReleasedKey, sealedTo connection: Connection, finished: (String) -> Void
    ) throws(OpeningError) -> FixedBytes<32> {
        let payload = try payload(key, connection)
        let rules = LUKS2Rules(cipher: config.cipher, keyBits: config.keyBits)
        do throws(LUKS2Fault) {
            try rules.check(disk.header, keyslot: payload.keyslot)
        } catch {
            throw OpeningError(reason: .headerRefused, detail: error.description)
        }
        let copy: MemoryFile
        do throws(SystemError) {
            copy = try MemoryFile(
                name: "luks2 header", disk.header.memoryImage(hashing: hashing),
                byteCount: disk.header.metadataByteCount)
        } catch {
            throw OpeningError(reason: .other, detail: error.description)
        }
        let volume = try volume(header: copy.path)
        let volumeKey = try volumeKey(of: volume, payload)
        guard Self.check(of: volumeKey) == payload.volumeKeyCheck else {
            throw OpeningError(
                reason: .volumeKeyCheckMismatch, detail: "the volume key is not the enrolled one")
        }
        let proof = Self.proof(of: volumeKey, binding: key.binding)
        finished("keyslot")
        if activates {
            try activate(volume, volumeKey)
            finished("activate")
        }
        return proof
    }

    /// What proves to the broker that this binding's launch holds the volume key.
    static func proof(
        of volumeKey: borrowing SecretBytes, binding: FixedBytes<64>
    ) -> FixedBytes<32> {
        let proofKey = HKDF.sha256(
            ikm: volumeKey, salt: [], info: Array("bootgate proof".utf8), count: 32)
        return HMAC.sha256(key: proofKey, binding.bytes)
    }

    /// What tells one volume key from another without telling anything about it.
    static func check(of volumeKey: borrowing SecretBytes) -> FixedBytes<32>? {
        let check = HKDF.sha256(
            ikm: volumeKey, salt: [], info: Array("bootgate vk id".utf8), count: 32)
        return unsafe check.withBytes { unsafe FixedBytes<32>($0) }
    }

    private func payload(
        _ key: ReleasedKey, _ connection: Connection
    ) throws(OpeningError) -> ReleasePayload {
        let payload: ReleasePayload
        do {
            guard let plaintext = try connection.open(key.release, binding: key.binding) else {
                throw OpeningError(reason: .other, detail: "the ephemeral key is gone")
            }
            payload = try ReleasePayload(parsing: plaintext)
        } catch let error as OpeningError {
            throw error
        } catch {
            throw OpeningError(reason: .other, detail: "sealed key: \(error)")
        }
        guard payload.launchID == key.challenge.launchID else {
            throw OpeningError(reason: .other, detail: "the key is for another launch")
        }
        return payload
    }

    private func volume(header path: String) throws(OpeningError) -> LUKSVolume {
        do throws(LUKSError) {
            return try LUKSVolume(device: disk.path, header: path, locking: false)
        } catch {
            throw OpeningError(error, otherwise: .other)
        }
    }

    private func volumeKey(
        of volume: borrowing LUKSVolume, _ payload: borrowing ReleasePayload
    ) throws(OpeningError) -> SecretBytes {
        do throws(LUKSError) {
            return try volume.volumeKey(keyslot: payload.keyslot, passphrase: payload.key)
        } catch {
            throw OpeningError(error, otherwise: .other)
        }
    }

    private func activate(
        _ volume: borrowing LUKSVolume, _ volumeKey: borrowing SecretBytes
    ) throws(OpeningError) {
        do throws(LUKSError) {
            try volume.activate(name: config.name, volumeKey: volumeKey)
        } catch {
            throw OpeningError(error, otherwise: .activationFailed)
        }
        do throws(SystemError) {
            let number = try DeviceNumber(node: "/dev/mapper/\(config.name)")
            try RootState(name: config.name, number: number).write()
        } catch {
            throw OpeningError(reason: .activationFailed, detail: error.description)
        }
    }
}

extension OpeningError {
    init(_ error: LUKSError, otherwise reason: FailureReason) {
        let known: FailureReason =
            switch error {
            case .keyslotRefusedKey, .noSuchKeyslot: .keyslotRefusedKey
            case .failed: reason
            }
        self.init(reason: known, detail: error.description)
    }
}
