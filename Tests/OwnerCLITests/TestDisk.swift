import AdminAPI
import Bytes
import Foundation
import LUKS
import OpenSSL

@testable import OwnerCLI

let ownerPassphrase = Array("the owner's own".utf8)

func secret(_ bytes: [UInt8]) -> SecretBytes {
    unsafe SecretBytes(copying: bytes.span.bytes)
}

func bytes(_ secret: borrowing SecretBytes) -> [UInt8] {
    unsafe secret.withBytes { unsafe Array($0) }
}

/// A folder that goes with the value.
final class TestFolder {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("bootgate-cli-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A LUKS2 volume with one keyslot, its owner's.
struct TestDisk {
    let path: String
    let volumeKey: [UInt8] = (0..<64).map { UInt8($0) }

    init(in folder: TestFolder) throws {
        path = folder.path + "/disk.img"
        try Data().write(to: URL(fileURLWithPath: path))
        try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 20 << 20)
        let volume = try LUKSVolume.format(device: path, volumeKey: secret(volumeKey))
        _ = try volume.addKeyslot(
            volumeKey: secret(volumeKey), passphrase: secret(ownerPassphrase))
    }

    var enrolment: EnrolmentDisk { EnrolmentDisk(path: path, rules: LUKS2Rules()) }

    func digest() throws -> String { try enrolment.digest().hex }

    func keyslots() throws -> [Int] { try enrolment.header().keyslots.map(\.number) }

    /// Whether a VM with this disk would get from `enrolment` what opens it: what an agent does.
    func boots(with enrolment: RecordedEnrolment?) throws -> Bool {
        guard let enrolment, try digest() == enrolment.terms.headerDigest else { return false }
        let volume = try LUKSVolume(device: path)
        guard
            let key = try? volume.volumeKey(
                keyslot: enrolment.terms.keyslot, passphrase: secret(enrolment.key))
        else { return false }
        let check = HKDF.sha256(
            ikm: key, salt: [], info: Array("bootgate vk id".utf8), count: 32)
        return bytes(key) == volumeKey
            && Base64.encode(bytes(check)) == enrolment.terms.volumeKeyCheck
    }
}

/// An enrolment as the broker got it.
struct RecordedEnrolment {
    let terms: EnrolmentTerms
    let key: [UInt8]
}

/// A broker that remembers its newest enrolment, or refuses.
final class RecordingBroker: EnrolmentBroker {
    var newest: RecordedEnrolment?
    var refuses = false

    func enroll(_ id: String, _ enrolment: borrowing Enrolment) throws(Failure) -> VMRecord {
        if refuses { throw Failure(.unavailable, "no broker") }
        newest = RecordedEnrolment(terms: enrolment.terms, key: bytes(enrolment.key))
        return record(id, enrolment.terms)
    }
}

func record(_ id: String, _ terms: EnrolmentTerms) -> VMRecord {
    VMRecord(
        id: id, state: .enabled, policy: terms.policy, policyIdentity: "00",
        configDigest: terms.configDigest, gateConf: terms.gateConf,
        headerDigest: terms.headerDigest, luksUUID: terms.luksUUID, keyslot: terms.keyslot,
        keyName: terms.keyName, created: 0, updated: 0)
}
