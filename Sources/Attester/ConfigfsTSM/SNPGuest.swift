public import Bytes
import Evidence
public import Protocol

/// AMD SEV-SNP by the kernel's `sev-guest` driver.
public struct SNPGuest: EvidenceProvider {
    /// What the driver calls itself.
    public static let providerName = "sev_guest"

    /// SNP reports.
    public var kind: EvidenceKind { .snp }

    private let tsm: ConfigfsTSM

    /// Asks by `tsm`.
    public init(tsm: ConfigfsTSM) {
        self.tsm = tsm
    }

    /// The report, and the certificate table where the host gave one.
    public func evidence(
        over reportData: FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        let (response, _) = try report(over: reportData)
        var items = [EvidenceItem(.report, response.report)]
        if !response.auxiliary.isEmpty {
            items.append(EvidenceItem(.certificateTable, response.auxiliary))
        }
        do {
            return try EvidenceMessage(kind: .snp, items: items)
        } catch {
            throw .badReport(field: "items", problem: error.description)
        }
    }

    /// HOST_DATA of a report made for nobody: its report data is zero.
    public func configAnchor() throws(AttesterError) -> HardwareAnchor {
        .hostData(try report(over: FixedBytes()).report.hostData)
    }

    private func report(
        over reportData: FixedBytes<64>
    ) throws(AttesterError) -> (response: ConfigfsTSM.Response, report: SNPReport) {
        let response = try tsm.response(over: reportData)
        guard response.provider == Self.providerName else {
            throw .unknownProvider(name: String(response.provider.prefix(64)))
        }
        let report: SNPReport
        do {
            report = try SNPReport(parsing: response.report)
        } catch {
            throw .badReport(field: "ATTESTATION_REPORT", problem: error.description)
        }
        guard report.reportData == reportData else {
            throw .badReport(field: "REPORT_DATA", problem: "is not what was asked for")
        }
        return (response, report)
    }
}
