import Bytes
import Evidence
import Protocol
import TPM

/// SNP below an SVSM: the SVSM's own report over the binding and the manifest of its vTPM.
///
/// Source: SVSM specification (AMD publication 58019), attestation protocol: REPORT_DATA =
/// SHA-512(nonce || manifest), by the most privileged level. Only of use with a quote of that vTPM.
struct SVSMGuest: EvidenceProvider {
    let tsm: ConfigfsTSM
    /// The same guest at its own level.
    let guest: SNPGuest
    let hashing: any Hashing

    var kind: EvidenceKind { .svsm }

    func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        let nonce = binding([])
        let response = try tsm.response(over: nonce, of: .svsmTPM)
        guard !response.manifest.isEmpty else {
            throw .badReport(field: "manifestblob", problem: "is empty")
        }
        let report = try SNPReport(answering: response.report)
        guard report.reportData == hashing.sha512(nonce.bytes + response.manifest) else {
            throw .badReport(
                field: "REPORT_DATA", problem: "is not the digest of question and manifest")
        }
        var items = [
            EvidenceItem(.report, response.report), EvidenceItem(.manifest, response.manifest),
        ]
        if !response.auxiliary.isEmpty {
            items.append(EvidenceItem(.certificateTable, response.auxiliary))
        }
        return try EvidenceMessage(gathered: .svsm, items)
    }

    func configAnchor() throws(AttesterError) -> HardwareAnchor { try guest.configAnchor() }

    func checkEnding() throws(AttesterError) { try guest.checkEnding() }

    func endEvidence() throws(AttesterError) { try guest.endEvidence() }

    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        try guest.quoting(device, plan)
    }
}
