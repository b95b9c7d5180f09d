public import Bytes
import Evidence
public import Protocol
public import TPM

/// AMD SEV-SNP by the kernel's `sev-guest` driver: through configfs-tsm, or through the driver's own
/// device where the kernel is older than 6.7.
public struct SNPGuest: EvidenceProvider {
    /// What the driver calls itself.
    public static let providerName = "sev_guest"

    /// SNP reports.
    public var kind: EvidenceKind { .snp }

    private let source: SNPReportSource
    private let kernel: any Kernel
    private let hashing: any Hashing

    /// Asks by `tsm`.
    public init(tsm: ConfigfsTSM, hashing: any Hashing) {
        self.init(source: .tsm(tsm), kernel: RunningKernel(), hashing: hashing)
    }

    init(source: SNPReportSource, kernel: any Kernel, hashing: any Hashing) {
        self.source = source
        self.kernel = kernel
        self.hashing = hashing
    }

    /// The report, and the certificate table where the host gave one.
    public func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        let response = try source.response(over: binding([])).response
        var items = [EvidenceItem(.report, response.report)]
        if !response.auxiliary.isEmpty {
            items.append(EvidenceItem(.certificateTable, response.auxiliary))
        }
        return try EvidenceMessage(gathered: .snp, items)
    }

    /// HOST_DATA of a report made for nobody: its report data is zero.
    public func configAnchor() throws(AttesterError) -> HardwareAnchor {
        .hostData(try source.response(over: FixedBytes()).report.hostData)
    }

    /// Nothing is missing: see ``endEvidence()``.
    public func checkEnding() throws(AttesterError) {}

    /// Does nothing. A report carries a REPORT_ID, and a verifier releases nothing to one that has
    /// unlocked.
    public func endEvidence() throws(AttesterError) {}

    /// Below an SVSM the TPM is the SVSM's, and its own report vouches for it.
    public func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        if case .tsm(let tsm) = source, try tsm.hasServices() {
            return TPMQuoted(
                SVSMGuest(tsm: tsm, guest: self, hashing: hashing), device, plan, kernel: kernel,
                hashing: hashing)
        }
        return TPMQuoted(self, device, plan, kernel: kernel, hashing: hashing)
    }
}

/// An SNP report with what came beside it.
struct SNPResponse {
    let report: [UInt8]
    let auxiliary: [UInt8]
}

/// How an SNP report is asked for.
enum SNPReportSource: Sendable {
    case tsm(ConfigfsTSM)
    case device(SevGuestDevice)

    /// A report over `reportData`, looked at so far that it is one.
    func response(
        over reportData: FixedBytes<64>
    ) throws(AttesterError) -> (response: SNPResponse, report: SNPReport) {
        let response: SNPResponse
        switch self {
        case .tsm(let tsm):
            let answer = try tsm.response(over: reportData)
            guard answer.provider == SNPGuest.providerName else {
                throw .unknownProvider(name: String(answer.provider.prefix(64)))
            }
            response = SNPResponse(report: answer.report, auxiliary: answer.auxiliary)
        case .device(let device):
            response = try device.response(over: reportData)
        }
        let report = try SNPReport(answering: response.report)
        guard report.reportData == reportData else {
            throw .badReport(field: "REPORT_DATA", problem: "is not what was asked for")
        }
        return (response, report)
    }
}

extension SNPReport {
    init(answering bytes: [UInt8]) throws(AttesterError) {
        do throws(ParseError) {
            try self.init(parsing: bytes)
        } catch {
            throw .badReport(field: "ATTESTATION_REPORT", problem: error.description)
        }
    }
}

extension EvidenceMessage {
    /// A message from parts in any order.
    init(
        gathered kind: EvidenceKind, keyName: [UInt8] = [], _ items: [EvidenceItem]
    ) throws(AttesterError) {
        let ordered = items.sorted { $0.content.rawValue < $1.content.rawValue }
        do throws(ParseError) {
            try self.init(kind: kind, attestationKeyName: keyName, items: ordered)
        } catch {
            throw .badReport(field: "items", problem: error.description)
        }
    }
}
