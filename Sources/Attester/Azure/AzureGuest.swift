import Bytes
import Evidence
import Linux
import Protocol
import TPM

/// A confidential VM of Azure, whose paravisor owns the hardware's report data and gives the guest a
/// vTPM instead.
///
/// The chain is hardware report -> runtime data -> attestation key -> quote over the binding; the user
/// data in the runtime data is the binding too, so that the hardware report is a fresh one.
struct AzureGuest: EvidenceProvider {
    /// The attestation key that the paravisor made.
    private static let attestationKey: UInt32 = 0x8100_0003
    /// Its report, and what the guest may have put into the next one.
    private static let reportIndex: UInt32 = 0x0140_0001
    private static let userDataIndex: UInt32 = 0x0140_0002
    /// The paravisor makes the next report within about 3 s.
    private static let reportAttempts = 60
    private static let reportPause: UInt64 = 200
    /// The tag of every machine of Azure's.
    private static let chassisTag = "7783-7084-3265-9085-8269-3286-77"

    let kind: EvidenceKind
    private var device: TPM.Device
    private var plan = TPMQuotePlan.launch
    private let kernel: any Kernel
    private let quoter: TPMQuoter

    /// Nil where this is no machine of Azure's, or one without a paravisor.
    init?(
        device: TPM.Device, kernel: any Kernel, hashing: any Hashing
    ) throws(AttesterError) {
        guard let tag = try? kernel.read(GuestFiles.chassisTag, atMost: 256),
            String(decoding: tag.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
                == Self.chassisTag
        else { return nil }
        let bytes: [UInt8]
        do throws(TPMError) {
            bytes = try TPM(device).readNV(Self.reportIndex)
        } catch {
            if error.isMissing { return nil }
            throw .tpm(error)
        }
        switch try Self.parsed(bytes).hardware {
        case .snp: kind = .azureSNP
        case .tdx: kind = .azureTDX
        }
        self.device = device
        self.kernel = kernel
        quoter = TPMQuoter(hashing: hashing)
    }

    func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        let tpm = try TPMQuoter.open(device)
        let key = try existingKey(of: tpm)
        let reportData = binding(key.name)
        let bytes = try report(tpm, holding: reportData)
        var items = try quoter.quote(tpm, key, plan, over: reportData).items
        items.append(EvidenceItem(.hclReport, bytes))
        let service = MetadataService(kernel: kernel)
        switch try Self.parsed(bytes).hardware {
        case .snp(let report):
            items.append(EvidenceItem(.report, report))
            // Endorsements: a verifier can have them from elsewhere.
            if let chain = try? service.certificates() {
                items.append(EvidenceItem(.imdsCertificates, chain))
            }
        case .tdx(let report):
            items.append(EvidenceItem(.report, try service.quote(of: report)))
        }
        if let log = try kernel.log(GuestFiles.tpmLog, atMost: EvidenceItem.maximumLength) {
            items.append(EvidenceItem(.eventLog, log))
        }
        return try EvidenceMessage(gathered: kind, keyName: key.name, items)
    }

    func attestationKeyName() throws(AttesterError) -> [UInt8] {
        let tpm = try TPMQuoter.open(device)
        return try existingKey(of: tpm).name
    }

    /// The owner of such a VM cannot fill a field of the hardware's report.
    func configAnchor() throws(AttesterError) -> HardwareAnchor { .nothing }

    func checkEnding() throws(AttesterError) { try quoter.checkEnding(device) }

    func endEvidence() throws(AttesterError) { try quoter.endEvidence(device) }

    /// The paravisor's key quotes, whatever label `plan` has: no other can be shown to be its TPM's.
    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        var guest = self
        guest.device = device
        guest.plan = plan
        return guest
    }

    private func existingKey(of tpm: borrowing TPM) throws(AttesterError) -> TPMKey {
        do throws(TPMError) {
            return try tpm.key(persistent: Self.attestationKey)
        } catch {
            throw .tpm(error)
        }
    }

    /// A report of the paravisor whose user data is `reportData`.
    private func report(
        _ tpm: borrowing TPM, holding reportData: FixedBytes<64>
    ) throws(AttesterError) -> [UInt8] {
        do throws(TPMError) {
            try tpm.writeNV(Self.userDataIndex, reportData.bytes)
            for attempt in 0..<Self.reportAttempts {
                if attempt > 0 { kernel.pause(milliseconds: Self.reportPause) }
                let bytes = try tpm.readNV(Self.reportIndex)
                if Self.userData(bytes) == reportData { return bytes }
            }
        } catch {
            throw .tpm(error)
        }
        throw .gaveUp(
            attempts: Self.reportAttempts, last: "the paravisor's report lacks our user data")
    }

    private static func userData(_ bytes: [UInt8]) -> FixedBytes<64>? {
        guard let report = try? HCLReport(parsing: bytes),
            let data = try? HCLRuntimeData(parsing: report.variableData)
        else { return nil }
        return data.userData
    }

    private static func parsed(_ bytes: [UInt8]) throws(AttesterError) -> HCLReport {
        do throws(ParseError) {
            return try HCLReport(parsing: bytes)
        } catch {
            throw .badReport(field: "HCL report", problem: error.description)
        }
    }
}
