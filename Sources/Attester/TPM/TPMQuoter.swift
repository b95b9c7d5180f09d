import Bytes
import Evidence
import Protocol
import TPM

/// What every platform with a TPM does with it.
struct TPMQuoter: Sendable {
    /// Extended at hand-over; Linux's own measurements leave it to the volume key (systemd).
    static let endRegister = 15
    /// How often a quote is repeated because somebody extended a register meanwhile.
    private static let attempts = 8

    /// Google's attestation keys: NV indices of certificate and template, P-256 before RSA.
    private static let vendorKeys: [(certificate: UInt32, template: UInt32)] = [
        (0x01c1_0002, 0x01c1_0003), (0x01c1_0000, 0x01c1_0001),
    ]

    let hashing: any Hashing

    static func open(_ device: TPM.Device) throws(AttesterError) -> TPM {
        do throws(TPMError) {
            return try TPM(device)
        } catch {
            throw .tpm(error)
        }
    }

    /// A key that signs nothing but what the TPM itself says, and its certificate if its maker gave one.
    func attestationKey(
        of tpm: borrowing TPM, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> QuotingKey {
        do throws(TPMError) {
            return try makeKey(tpm, plan)
        } catch {
            throw .tpm(error)
        }
    }

    private func makeKey(
        _ tpm: borrowing TPM, _ plan: TPMQuotePlan
    ) throws(TPMError) -> QuotingKey {
        for vendor in Self.vendorKeys where plan.takesVendorKey {
            guard let certificate = try optional(tpm, vendor.certificate),
                let template = try optional(tpm, vendor.template)
            else { continue }
            return QuotingKey(
                key: try tpm.makeKey(TPMTemplate(bytes: template)), certificate: certificate)
        }
        let template: TPMTemplate =
            try tpm.supportsP256()
            ? .attestationP256(label: plan.label) : .attestationRSA(label: plan.label)
        return QuotingKey(key: try tpm.makeKey(template), certificate: nil)
    }

    /// A quote over SHA-256 of `reportData`, and registers that fit it.
    func quote(
        _ tpm: borrowing TPM, _ key: borrowing TPMKey, _ plan: TPMQuotePlan,
        over reportData: FixedBytes<64>
    ) throws(AttesterError) -> TPMQuote {
        try quote(tpm, key, plan, extraData: hashing.sha256(reportData.bytes).bytes)
    }

    /// A quote over `extraData`, and registers that fit it.
    func quote(
        _ tpm: borrowing TPM, _ key: borrowing TPMKey, _ plan: TPMQuotePlan, extraData: [UInt8]
    ) throws(AttesterError) -> TPMQuote {
        do throws(TPMError) {
            let banks = plan.banks(of: try tpm.banks())
            guard !banks.isEmpty else { throw Self.noBank }
            for _ in 0..<Self.attempts {
                if let quote = try attempt(tpm, key, extraData, plan.registers, banks) {
                    return quote
                }
            }
            throw TPMError.badAnswer(
                command: "TPM2_Quote",
                problem: "the registers did not fit the quote in \(Self.attempts) attempts")
        } catch {
            throw .tpm(error)
        }
    }

    /// Nil where the registers are of another moment than the quote: systemd measures boot phases
    /// while we ask, and IMA measures what is executed.
    private func attempt(
        _ tpm: borrowing TPM, _ key: borrowing TPMKey, _ extraData: [UInt8], _ indices: [Int],
        _ banks: [HashAlgorithm]
    ) throws(TPMError) -> TPMQuote? {
        let quote = try key.quote(over: extraData, indices, banks: banks)
        var registers: [(bank: HashAlgorithm, values: [(index: Int, digest: [UInt8])])] = []
        for bank in banks {
            registers.append((bank, try tpm.registers(indices, bank: bank)))
        }
        let attestation: TPMAttestation
        var values = PCRValues()
        do throws(ParseError) {
            attestation = try TPMAttestation(parsing: quote.attest)
            for (bank, digests) in registers {
                for (index, digest) in digests {
                    try values.insert(digest, at: UInt8(index), in: bank)
                }
            }
        } catch {
            throw .badAnswer(command: "TPM2_Quote", problem: error.description)
        }
        guard attestation.extraData == extraData else {
            throw .badAnswer(
                command: "TPM2_Quote", problem: "extraData is not what was asked for")
        }
        guard let quoted = values.concatenated(attestation.selection) else {
            throw .badAnswer(
                command: "TPM2_Quote",
                problem: "\(attestation.selection) are not the registers that were asked for")
        }
        guard attestation.pcrDigest == hashing.digest(.sha256, quoted) else { return nil }
        return TPMQuote(
            keyName: key.name, publicArea: key.publicArea, attest: quote.attest,
            signature: quote.signature, attestation: attestation, values: values)
    }

    /// Whether the TPM answers and has a bank that counts.
    func checkEnding(_ device: TPM.Device) throws(AttesterError) {
        do throws(TPMError) {
            let tpm = try TPM(device)
            _ = try bank(of: tpm)
        } catch {
            throw .tpm(error)
        }
    }

    /// Extends the register in every bank, and looks whether it happened.
    func endEvidence(_ device: TPM.Device) throws(AttesterError) {
        let register = "PCR \(Self.endRegister)"
        do throws(TPMError) {
            let tpm = try TPM(device)
            let banks = try tpm.banks()
            let bank = try bank(of: tpm)
            let before = try tpm.registers([Self.endRegister], bank: bank)[0].digest
            try tpm.extend(
                Self.endRegister, banks.map { ($0, hashing.digest($0, EndMarker.text)) })
            let after = try tpm.registers([Self.endRegister], bank: bank)[0].digest
            let marker = hashing.digest(bank, EndMarker.text)
            guard after == hashing.digest(bank, before + marker) else {
                throw TPMError.badAnswer(
                    command: "TPM2_PCR_Extend", problem: "the register does not show it")
            }
        } catch {
            throw .cannotEnd(register: register, problem: error.description)
        }
    }

    /// SHA-256 where there is one, since that is what reference values are given in; never SHA-1.
    private func bank(of tpm: borrowing TPM) throws(TPMError) -> HashAlgorithm {
        guard let bank = TPMQuotePlan.launch.banks(of: try tpm.banks()).first else {
            throw Self.noBank
        }
        return bank
    }

    private static let noBank = TPMError.badAnswer(
        command: "TPM2_GetCapability", problem: "no PCR bank of SHA-256 or better is active")

    private func optional(
        _ tpm: borrowing TPM, _ index: UInt32
    ) throws(TPMError) -> [UInt8]? {
        do throws(TPMError) {
            return try tpm.readNV(index)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }
}

/// A key with what its maker says of it.
struct QuotingKey: ~Copyable {
    let key: TPMKey
    let certificate: [UInt8]?
}
