import Bytes
import Evidence
import Protocol
import TPM

/// Another platform's evidence, and beside it a quote of this machine's TPM over the same binding.
///
/// The name of the TPM's key is in the binding, so the platform's report vouches for the key: only
/// software that the report measures could have named it.
struct TPMQuoted: EvidenceProvider {
    let platform: any EvidenceProvider
    let kernel: any Kernel
    private let device: TPM.Device
    private let plan: TPMQuotePlan
    private let quoter: TPMQuoter

    init(
        _ platform: any EvidenceProvider, _ device: TPM.Device, _ plan: TPMQuotePlan,
        kernel: any Kernel, hashing: any Hashing
    ) {
        self.platform = platform
        self.device = device
        self.plan = plan
        self.kernel = kernel
        quoter = TPMQuoter(hashing: hashing)
    }

    var kind: EvidenceKind { platform.kind }

    func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        let tpm = try TPMQuoter.open(device)
        let signer = try quoter.attestationKey(of: tpm, plan)
        let name = signer.key.name
        let reportData = binding(name)
        var items = try platform.evidence { _ in reportData }.items
        items += try quoter.quote(tpm, signer.key, plan, over: reportData).items
        if let certificate = signer.certificate {
            items.append(EvidenceItem(.keyCertificate, certificate))
        }
        if !items.contains(where: { $0.content == .eventLog }),
            let log = try kernel.log(GuestFiles.tpmLog, atMost: EvidenceItem.maximumLength)
        {
            items.append(EvidenceItem(.eventLog, log))
        }
        return try EvidenceMessage(gathered: kind, keyName: name, items)
    }

    func attestationKeyName() throws(AttesterError) -> [UInt8] {
        let tpm = try TPMQuoter.open(device)
        return try quoter.attestationKey(of: tpm, plan).key.name
    }

    func configAnchor() throws(AttesterError) -> HardwareAnchor { try platform.configAnchor() }

    func checkEnding() throws(AttesterError) {
        try platform.checkEnding()
        try quoter.checkEnding(device)
    }

    /// Extends PCR 15 too, whatever the platform does: the quote shows it, and a launch wants it zero.
    func endEvidence() throws(AttesterError) {
        try platform.endEvidence()
        try quoter.endEvidence(device)
    }

    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        TPMQuoted(platform, device, plan, kernel: kernel, hashing: quoter.hashing)
    }
}
