import Bytes
import OpenSSL

/// An SNP guest at its mailbox, with an SVSM below it or without.
struct SNPGuest: MailboxGuest {
    /// Holds what cannot be copied.
    private final class Holder: Sendable {
        let processor: SimulatedProcessor
        init(_ processor: consuming SimulatedProcessor) { self.processor = processor }
    }

    private let holder: Holder
    /// What the SVSM's services say of themselves, for a vTPM the public area of its EK; nil where
    /// there is no SVSM.
    private let manifest: [UInt8]?

    init(_ processor: consuming SimulatedProcessor, manifest: [UInt8]? = nil) {
        holder = Holder(processor)
        self.manifest = manifest
    }

    var provider: MailboxLayout.Provider { .sevGuest }

    var operations: [MailboxLayout.Operation] {
        manifest == nil ? [.report] : [.report, .serviceReport]
    }

    var identity: [(String, JSONText.Value)] {
        [("report_id", .string(holder.processor.reportID.hex))]
    }

    mutating func answer(
        _ operation: MailboxLayout.Operation, _ request: Mailbox.Request, isFaulty: Bool
    ) throws(PSPFault) -> Answer? {
        switch operation {
        case .report:
            return try PSPFault.defects { () throws(CryptoError) in
                try holder.processor.answer(
                    request.input, vmpl: request.privilegeLevel, isFaulty: isFaulty)
            }
        case .serviceReport:
            guard let manifest, request.argument == 0 else { return nil }
            return try PSPFault.defects { () throws(CryptoError) in
                try holder.processor.serviceAnswer(
                    nonce: request.input, manifest: manifest, isFaulty: isFaulty)
            }
        case .localReport, .extend: return nil
        }
    }
}
