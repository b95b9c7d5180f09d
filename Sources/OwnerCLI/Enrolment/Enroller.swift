import AdminAPI
import Bytes
import LUKS
import Linux
import OpenSSL

/// What an enrolment is made of, besides the disk and its passphrase.
struct EnrolmentPlan {
    let vm: String
    let keyName: String
    let policy: String
    let gateConf: [UInt8]
}

/// What an enrolment left behind.
struct EnrolmentResult {
    let keyslot: Int
    let removedKeyslots: [Int]
    let headerDigest: FixedBytes<32>
    let record: VMRecord
}

/// The points of an enrolment at which the disk or the broker has just changed.
enum EnrolmentStep: CaseIterable {
    case announced
    case keyslotAdded
    case tokenWritten
    case brokerInformed
    case staleKeyslotsRemoved
    case staleTokensRemoved
    case brokerInformedAgain
}

/// Where enrolments go.
protocol EnrolmentBroker {
    func enroll(_ id: String, _ enrolment: borrowing Enrolment) throws(Failure) -> VMRecord
}

extension AdminClient: EnrolmentBroker {}

/// Changes the disk and informs the broker, in an order that a repeat mends from every point.
///
/// docs/luks.md has the reasoning. In short: the keyslot is announced by a token before it exists, so
/// that none is ever orphaned; the broker learns of it before any older one goes; and if the broker
/// refuses, what was added is taken back, after which the header digest is the old one again.
struct Enroller {
    let disk: EnrolmentDisk
    let broker: any EnrolmentBroker
    /// Told after each step; tests end the enrolment there.
    var observe: (EnrolmentStep) throws -> Void = { _ in }

    /// - Parameter volumeKey: of this disk; fetched before, because that may take seconds.
    func enroll(
        _ plan: EnrolmentPlan, volumeKey: borrowing SecretBytes, ownerKeyslot: Int
    ) throws -> EnrolmentResult {
        let hashing = OpenSSLHashing()
        let before = try disk.header()
        let stale = before.tokens.compactMap {
            EnrolmentToken($0, vm: plan.vm, keyName: plan.keyName)
        }
        let volume = try Failure.onDisk { () throws(LUKSError) in try LUKSVolume(device: disk.path)
        }
        let keyslot = try Self.freeKeyslot(before)
        let key = Random.secret(32)

        let token = try Failure.onDisk { () throws(LUKSError) in
            try volume.setToken(
                json: EnrolmentToken.json(
                    vm: plan.vm, keyName: plan.keyName, keyslot: keyslot, isThere: false))
        }
        try observe(.announced)
        do {
            _ = try volume.addKeyslot(volumeKey: volumeKey, passphrase: key, keyslot: keyslot)
        } catch {
            try? volume.removeToken(token)
            throw Failure(.unusableInput, "\(disk.path.shown): \(error)")
        }
        try observe(.keyslotAdded)
        _ = try Failure.onDisk { () throws(LUKSError) in
            try volume.setToken(
                json: EnrolmentToken.json(
                    vm: plan.vm, keyName: plan.keyName, keyslot: keyslot, isThere: true),
                token: token)
        }
        try observe(.tokenWritten)

        var enrolment = Enrolment(
            terms: EnrolmentTerms(
                policy: plan.policy, configDigest: hashing.sha256(plan.gateConf).hex,
                gateConf: String(decoding: plan.gateConf, as: UTF8.self), luksUUID: before.uuid,
                keyName: plan.keyName, keyslot: keyslot, headerDigest: try disk.digest().hex,
                volumeKeyCheck: Self.check(of: volumeKey)),
            key: key, proofKey: Self.proofKey(of: volumeKey))
        var record: VMRecord
        do {
            record = try broker.enroll(plan.vm, enrolment)
        } catch {
            // The header is then the old one to the byte, and with it an older enrolment still opens.
            try? volume.removeToken(token)
            try? volume.removeKeyslot(keyslot)
            throw error
        }
        try observe(.brokerInformed)

        let removed = try removeStale(
            stale, from: volume, header: before, ownerKeyslot: ownerKeyslot)
        if !stale.isEmpty {
            enrolment.terms.headerDigest = try disk.digest().hex
            record = try broker.enroll(plan.vm, enrolment)
            try observe(.brokerInformedAgain)
        }
        return EnrolmentResult(
            keyslot: keyslot, removedKeyslots: removed, headerDigest: try disk.digest(),
            record: record)
    }

    private func removeStale(
        _ stale: [EnrolmentToken], from volume: borrowing LUKSVolume, header: LUKS2Header,
        ownerKeyslot: Int
    ) throws -> [Int] {
        var keyslots: Set<Int> = []
        for token in stale {
            keyslots.formUnion(token.keyslots)
            if let adding = token.adding, Self.isOurs(adding, header) { keyslots.insert(adding) }
        }
        // Whatever a token says, the keyslot of the passphrase just given stays.
        keyslots.remove(ownerKeyslot)
        for keyslot in keyslots.sorted() {
            do { try volume.removeKeyslot(keyslot) } catch { throw Failure(.internal, "\(error)") }
        }
        if !stale.isEmpty { try observe(.staleKeyslotsRemoved) }
        for token in stale {
            do { try volume.removeToken(token.number) } catch {
                throw Failure(.internal, "\(error)")
            }
        }
        if !stale.isEmpty { try observe(.staleTokensRemoved) }
        return keyslots.sorted()
    }

    /// Whether a keyslot that was announced was really added by us: the number may have been free when
    /// an enrolment was killed, and somebody else's since. Ours are cheap and in no other token.
    private static func isOurs(_ number: Int, _ header: LUKS2Header) -> Bool {
        header.keyslots.contains {
            $0.number == number
                && $0.derivation == .pbkdf2(hash: "sha256", iterations: LUKSVolume.iterations)
        } && !header.tokens.contains { $0.keyslots.contains(number) }
    }

    private static func freeKeyslot(_ header: LUKS2Header) throws(Failure) -> Int {
        let taken = Set(header.keyslots.map(\.number))
        guard let free = (0..<32).first(where: { !taken.contains($0) }) else {
            throw Failure(
                .unusableInput, "all 32 keyslots of the disk are in use",
                next: "Next: free one with `cryptsetup luksKillSlot`.")
        }
        return free
    }

    private static func check(of volumeKey: borrowing SecretBytes) -> String {
        let check = HKDF.sha256(
            ikm: volumeKey, salt: [], info: Array("bootgate vk id".utf8), count: 32)
        return unsafe check.withBytes { unsafe Base64.encode(Array($0)) }
    }

    private static func proofKey(of volumeKey: borrowing SecretBytes) -> SecretBytes {
        HKDF.sha256(ikm: volumeKey, salt: [], info: Array("bootgate proof".utf8), count: 32)
    }
}

extension Failure {
    /// Says what libcryptsetup could not do.
    static func onDisk<Value: ~Copyable>(
        _ body: () throws(LUKSError) -> Value
    ) throws(Failure) -> Value {
        do {
            return try body()
        } catch {
            throw Failure(.unusableInput, "\(error)")
        }
    }
}
