import Bytes
import Evidence
import OpenSSL
import Protocol
import TestSupport

@testable import SimulatedPSP

/// A TPM of this process with one attestation key, whose quotes tests take apart.
struct SimulatedTPM {
    final class Key: Sendable {
        let key: SigningKey

        init(_ kind: SigningKey.Kind = .p256) {
            do {
                key = try SigningKey.generate(kind)
            } catch {
                fatalError("no key: \(error)")
            }
        }
    }

    static let key = Key()
    static let otherKey = Key()
    /// Azure's vTPM has RSA; making it takes a second or more.
    static let rsaKey = Key(.rsa4096)

    var key: Key
    var publicArea: TPMPublicBuilder
    /// What the quote covers.
    var registers: [(index: Int, digest: [UInt8])] = [
        (4, [UInt8](repeating: 4, count: 32)), (7, [UInt8](repeating: 7, count: 32)),
        (15, [UInt8](repeating: 0, count: 32)),
    ]
    /// What the evidence says that they hold; nil for the same.
    var claimed: [(index: Int, digest: [UInt8])]?
    /// extraData; nil for what the launch wants.
    var nonce: [UInt8]?
    /// Changes what the key has signed.
    var changeQuote: @Sendable (inout [UInt8]) -> Void = { _ in }
    var bank = HashAlgorithm.sha256
    private var sentName: [UInt8]?

    init(_ key: Key = Self.key) throws {
        self.key = key
        let info = try key.key.publicKey.subjectPublicKeyInfo
        publicArea =
            key.key.kind == .rsa4096
            ? TPMPublicBuilder(rsaModulus: Array(info.dropLast(5).suffix(512)))
            : TPMPublicBuilder(p256X: Array(info.suffix(64).prefix(32)), y: info.suffix(32))
    }

    /// The name that EVIDENCE gives the key; its own unless it was set.
    var name: [UInt8] {
        get { sentName ?? [0, 0x0b] + OpenSSLHashing().sha256(publicArea.bytes).bytes }
        set { sentName = newValue }
    }

    private func values(_ registers: [(index: Int, digest: [UInt8])]) throws -> PCRValues {
        var values = PCRValues()
        for (index, digest) in registers { try values.insert(digest, at: UInt8(index), in: bank) }
        return values
    }

    /// Items 4 to 7.
    func items(over binding: FixedBytes<64>) throws -> [EvidenceItem] {
        let writer = TPMQuoteWriter(
            nonce: nonce ?? OpenSSLHashing().sha256(binding.bytes).bytes, registers: registers,
            bank: bank, signer: [0, 0x0b] + [UInt8](repeating: 0x5a, count: 32))
        var quote = writer.attestation
        let signature = try writer.signature(by: key.key)
        changeQuote(&quote)
        return [
            EvidenceItem(.tpmQuote, quote), EvidenceItem(.tpmSignature, signature),
            EvidenceItem(.tpmPublic, publicArea.bytes),
            EvidenceItem(.pcrValues, try values(claimed ?? registers).encoded),
        ]
    }
}
