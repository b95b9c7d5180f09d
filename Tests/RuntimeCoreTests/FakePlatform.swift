import Bytes
import Linux
import OpenSSL
import Protocol
import Synchronization
import TPM
import TestSupport

@testable import Attester

/// A processor that signs nothing, with a TPM beside it that is asked for real.
final class FakePlatform: EvidenceProvider {
    let kind: EvidenceKind
    /// How many requests are being answered at this moment, and the most that ever were.
    let load = Mutex((now: 0, most: 0))
    private let isSlow: Bool

    init(_ kind: EvidenceKind = .snp, isSlow: Bool = false) {
        self.kind = kind
        self.isSlow = isSlow
    }

    static func report(over reportData: FixedBytes<64>) -> [UInt8] {
        var report = SNPReportBuilder()
        report.set(0x050, reportData.bytes)
        return report.bytes
    }

    static func quote(over reportData: FixedBytes<64>) -> [UInt8] {
        var quote = TDXQuoteBuilder()
        quote.set(.reportData, reportData.bytes)
        return quote.bytes
    }

    func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        load.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        defer { load.withLock { $0.now -= 1 } }
        if isSlow { Clock.sleep(milliseconds: 20) }
        let reportData = binding([])
        let report =
            kind == .tdx ? Self.quote(over: reportData) : Self.report(over: reportData)
        return try EvidenceMessage(gathered: kind, [EvidenceItem(.report, report)])
    }

    func configAnchor() throws(AttesterError) -> HardwareAnchor { .nothing }

    func checkEnding() throws(AttesterError) {}

    func endEvidence() throws(AttesterError) {}

    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        TPMQuoted(self, device, plan, kernel: RunningKernel(), hashing: OpenSSLHashing())
    }
}
