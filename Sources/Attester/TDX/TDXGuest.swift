public import Bytes
import Evidence
import Linux
public import Protocol
public import TPM

/// An Intel TDX guest by the kernel's `tdx_guest` driver.
///
/// A quote comes through configfs-tsm, or from the host's quote service where the kernel is older than
/// 6.7. What the guest itself has to believe, MRCONFIGID above all, comes from a TDREPORT: the processor
/// hands that to the guest directly, while a quote passes through the host.
public struct TDXGuest: EvidenceProvider {
    /// What the driver calls itself.
    public static let providerName = "tdx_guest"

    /// Where quotes come from.
    enum QuoteSource: Sendable {
        case tsm(ConfigfsTSM)
        case quoteService(QuoteService)
    }

    /// TDX quotes.
    public var kind: EvidenceKind { .tdx }

    private let quotes: QuoteSource
    private let kernel: any Kernel
    private let hashing: any Hashing

    init(quotes: QuoteSource, kernel: any Kernel, hashing: any Hashing) {
        self.quotes = quotes
        self.kernel = kernel
        self.hashing = hashing
    }

    /// The quote, and the log behind its RTMRs where firmware left one.
    public func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        let reportData = binding([])
        let bytes = try quote(over: reportData)
        let quote: TDXQuote
        do throws(ParseError) {
            quote = try TDXQuote(parsing: bytes)
        } catch {
            throw .badReport(field: "quote", problem: error.description)
        }
        guard quote.body.reportData == reportData else {
            throw .badReport(field: "REPORTDATA", problem: "is not what was asked for")
        }
        var items = [EvidenceItem(.report, bytes)]
        if let log = try kernel.log(
            GuestFiles.ccelLog, atMost: EvidenceItem.maximumLength)
        {
            items.append(EvidenceItem(.eventLog, log))
        }
        return try EvidenceMessage(gathered: .tdx, items)
    }

    /// MRCONFIGID of a TDREPORT made for nobody.
    public func configAnchor() throws(AttesterError) -> HardwareAnchor {
        .mrConfigID(try report().mrConfigID)
    }

    /// Whether the kernel has the file by which RTMR3 is extended, and a TDREPORT shows it.
    public func checkEnding() throws(AttesterError) {
        guard kernel.exists(GuestFiles.rtmr3) else {
            throw .cannotEnd(
                register: "RTMR3",
                problem: "\(GuestFiles.rtmr3) is missing; Linux 6.16 and later have it")
        }
        _ = try report()
    }

    /// Extends RTMR3 by SHA-384 of ``EndMarker/text``, and looks whether it happened.
    public func endEvidence() throws(AttesterError) {
        let digest = hashing.sha384(EndMarker.text)
        let before = try report().rtmr[3]
        do throws(SystemError) {
            try kernel.write(GuestFiles.rtmr3, digest.bytes)
        } catch {
            throw .cannotEnd(register: "RTMR3", problem: error.description)
        }
        guard try report().rtmr[3] == hashing.sha384(before.bytes + digest.bytes) else {
            throw .cannotEnd(
                register: "RTMR3", problem: "a TDREPORT does not show the extension")
        }
    }

    /// A quote of the TPM beside that of the processor.
    public func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        TPMQuoted(self, device, plan, kernel: kernel, hashing: hashing)
    }

    private func quote(over reportData: FixedBytes<64>) throws(AttesterError) -> [UInt8] {
        switch quotes {
        case .tsm(let tsm):
            let answer = try tsm.response(over: reportData)
            guard answer.provider == Self.providerName else {
                throw .unknownProvider(name: String(answer.provider.prefix(64)))
            }
            return answer.report
        case .quoteService(let service):
            return try service.quote(of: try bytes(over: reportData))
        }
    }

    private func report() throws(AttesterError) -> TDReportBody {
        let question = FixedBytes<64>()
        let bytes = try bytes(over: question)
        let report: TDReport
        do throws(ParseError) {
            report = try TDReport(parsing: bytes)
        } catch {
            throw .badReport(field: "TDREPORT", problem: error.description)
        }
        guard report.reportData == question else {
            throw .badReport(field: "TDREPORT", problem: "is not over what was asked for")
        }
        return report.body
    }

    private func bytes(over reportData: FixedBytes<64>) throws(AttesterError) -> [UInt8] {
        var last = ""
        for attempt in 0..<ConfigfsTSM.attempts {
            if attempt > 0 { kernel.pause(milliseconds: ConfigfsTSM.delay(after: attempt)) }
            do throws(SystemError) {
                return try kernel.tdReport(GuestFiles.tdxGuest, over: reportData.bytes)
            } catch {
                guard error.isTransient else { throw AttesterError(error) }
                last = error.description
            }
        }
        throw .gaveUp(attempts: ConfigfsTSM.attempts, last: last)
    }
}
