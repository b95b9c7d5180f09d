import AdminAPI
import Bytes
import Foundation
import OpenSSL
import Protocol
import Store

/// Terms of an enrolment in which every field is sound and agrees with the `gate.conf`.
struct CheckedTerms {
    private let terms: EnrolmentTerms
    private let vm: String
    private let configDigest: FixedBytes<32>
    private let headerDigest: FixedBytes<32>
    private let volumeKeyCheck: FixedBytes<32>

    init(_ terms: EnrolmentTerms, vm: String) throws(AdminFault) {
        guard VMIdentifier(vm) != nil else {
            throw AdminFault(.invalid, "expected [a-z0-9][a-z0-9.-]{0,63}, got \(vm)", field: "id")
        }
        guard KeyName(terms.keyName) != nil else {
            throw AdminFault(
                .invalid, "expected [a-z0-9][a-z0-9._-]{0,31}, got \(terms.keyName)",
                field: "keyName")
        }
        guard (0...31).contains(terms.keyslot) else {
            throw AdminFault(
                .invalid, "expected 0 to 31, got \(terms.keyslot)", field: "keyslot")
        }
        guard UUID(uuidString: terms.luksUUID) != nil else {
            throw AdminFault(.invalid, "expected a UUID, got \(terms.luksUUID)", field: "luksUUID")
        }
        configDigest = try Self.digest(terms.configDigest, "configDigest")
        headerDigest = try Self.digest(terms.headerDigest, "headerDigest")
        guard let check = Base64.decode(terms.volumeKeyCheck).flatMap(FixedBytes<32>.init) else {
            throw AdminFault(.invalid, "expected 32 bytes in Base64", field: "volumeKeyCheck")
        }
        volumeKeyCheck = check
        self.terms = terms
        self.vm = vm
        try checkConfig()
    }

    static func check(
        key: borrowing SecretBytes, proofKey: borrowing SecretBytes
    ) throws(AdminFault) {
        guard (1...ReleasePayload.maximumKeyLength).contains(key.count) else {
            throw AdminFault(
                .invalid,
                "expected 1 to \(ReleasePayload.maximumKeyLength) bytes, got \(key.count)",
                field: "key")
        }
        guard proofKey.count == 32 else {
            throw AdminFault(
                .invalid, "expected 32 bytes, got \(proofKey.count)", field: "proofKey")
        }
    }

    func record(
        version: Int, sealed: (key: [UInt8], proofKey: [UInt8]), at time: Int64
    ) -> EnrolledVM {
        EnrolledVM(
            id: vm, policy: terms.policy, configDigest: configDigest, gateConf: terms.gateConf,
            luksUUID: terms.luksUUID, keyName: terms.keyName, keyslot: terms.keyslot,
            headerDigest: headerDigest, volumeKeyCheck: volumeKeyCheck, keyVersion: version,
            sealedKey: sealed.key, sealedProofKey: sealed.proofKey, created: time, updated: time)
    }

    /// A VM enrolled with a config of another VM, disk or key would only ever be refused.
    private func checkConfig() throws(AdminFault) {
        let text = Array(terms.gateConf.utf8)
        let config: GateConfig
        do {
            config = try GateConfig(parsing: text)
        } catch {
            throw AdminFault(.invalid, "\(error)", field: "gateConf")
        }
        try Self.agree("vm", vm, config.vm.description)
        try Self.agree("key_name", terms.keyName, config.keyName.description)
        try Self.agree("device", terms.luksUUID.lowercased(), config.device.lowercased())
        let digest = OpenSSLHashing().sha256(text)
        guard digest == configDigest else {
            throw AdminFault(
                .invalid,
                "expected \(digest.hex), the SHA-256 of gateConf, got \(configDigest.hex)",
                field: "configDigest")
        }
    }

    private static func agree(
        _ key: String, _ expected: String, _ actual: String
    ) throws(AdminFault) {
        guard expected == actual else {
            throw AdminFault(
                .invalid, "\(key): expected \(expected) as in the enrolment, got \(actual)",
                field: "gateConf")
        }
    }

    private static func digest(_ text: String, _ field: String) throws(AdminFault) -> FixedBytes<32>
    {
        guard let digest = FixedBytes<32>(hex: text) else {
            throw AdminFault(.invalid, "expected 64 hexadecimal digits", field: field)
        }
        return digest
    }
}
