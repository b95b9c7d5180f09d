import Bytes
import OpenSSL

/// Quotes of TPMs whose keys nothing vouches for.
struct TPMVectors {
    let vendor: SNPVendor
    let seed: VectorSeed

    private var nonce: [UInt8] { seed.bytes("nonce", count: 20) }

    func add(to set: inout VectorSet) throws {
        let rsa = try vendor.vTPMKey()
        let ec = try SigningKey.generate(.p256)
        try add("rsassa", rsa, bank: .sha256, to: &set)
        try add("ecdsa", ec, bank: .sha256, to: &set)
        try add("ecdsa-sha1-bank", ec, bank: .sha1, to: &set)
    }

    private func add(
        _ name: String, _ key: borrowing SigningKey, bank: HashAlgorithm, to set: inout VectorSet
    ) throws {
        let writer = TPMQuoteWriter(
            nonce: nonce,
            registers: [0, 4, 7, 9, 11].map { ($0, seed.bytes("pcr \($0)", count: bank.size)) },
            bank: bank, signer: [0, 0x0b] + seed.bytes("ak name", count: 32))
        let attestation = writer.attestation
        let signature = try writer.signature(by: key)
        let registers = writer.registersJSON
        let own = set.file("tpm/\(name).spki.der", try key.publicKey.subjectPublicKeyInfo)
        let entries: [(what: String, [UInt8], [UInt8], [UInt8], reason: String?)] = [
            ("", attestation, signature, registers, nil),
            (
                "-neg-sig", attestation, Self.changed(signature, at: signature.count - 1),
                registers, "bad-signature"
            ),
            (
                "-neg-clock", Self.changed(attestation, at: 70), signature, registers,
                "bad-signature"
            ),
            (
                "-neg-pcr", attestation, signature,
                Self.changed(registers, at: registers.count - 5), "pcr-digest-mismatch"
            ),
        ]
        for (what, message, mark, values, reason) in entries {
            let id = "tpm-\(name)\(what)"
            set.add(
                VectorEntry(
                    id: id, kind: "tpm-quote",
                    tags: ["tpm", bank.rawValue] + (reason == nil ? [] : ["negative"]),
                    files: [
                        (set.file("tpm/\(id)/quote.msg", message), "tpms-attest"),
                        (set.file("tpm/\(id)/quote.sig", mark), "tpmt-signature"),
                        (set.file("tpm/\(id)/pcrs.json", values), "pcr-values"),
                        (own, "ak-public-key-spki"),
                    ],
                    cases: cases(reason, bank)))
        }
    }

    private func cases(_ reason: String?, _ bank: HashAlgorithm) -> [VectorCase] {
        let given: [(String, JSONText.Value)] = [("nonce", .string(Hex.encode(nonce)))]
        let quote = VectorCase(name: "quote", reason: reason, inputs: given)
        guard reason == nil else { return [quote] }
        return [
            quote,
            VectorCase(
                name: "other-nonce", reason: "nonce-mismatch",
                inputs: [("nonce", .string(Hex.encode(SNPVectors.changed(nonce))))]),
            VectorCase(
                name: "sha1-bank-not-allowed", reason: bank == .sha1 ? "weak-algorithm" : nil,
                inputs: given, policy: [("forbid_sha1_bank", .boolean(true))]),
        ]
    }

    /// Another digit, which is another byte too.
    private static func changed(_ bytes: [UInt8], at place: Int) -> [UInt8] {
        var changed = bytes
        changed[place] = changed[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        return changed
    }
}
