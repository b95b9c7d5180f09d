import Bytes
import Glibc
import Linux
import OpenSSL

/// Answers what comes through a mailbox, one request after the other.
struct MailboxService: ~Copyable {
    private let processor: SimulatedProcessor
    private let mailbox: Mailbox
    private let log: EventLog
    private let faults: [Fault]
    private let faultAfter: Int
    /// The answer to everything, where a replay was ordered.
    private let recording: Answer?

    /// How often the mailbox is looked at, in microseconds: a guest polls as seldom.
    private static let interval = 500

    init(
        processor: consuming SimulatedProcessor, mailbox: Mailbox, log: EventLog,
        faults: [Fault], faultAfter: Int
    ) throws(PSPFault) {
        self.processor = processor
        self.mailbox = mailbox
        self.log = log
        self.faults = faults
        self.faultAfter = faultAfter
        recording = try Self.recording(faults)
    }

    private static func recording(_ faults: [Fault]) throws(PSPFault) -> Answer? {
        for case .replay(let path) in faults {
            do {
                return try Answer(
                    recorded: try File.read(path, atMost: 3 * MailboxLayout.blobLimit))
            } catch {
                throw .unusable("\(path): \(error)")
            }
        }
        return nil
    }

    /// Serves until a signal comes.
    borrowing func run(until stop: StopSignal) throws(PSPFault) {
        log.write("ready", [])
        var count = 0
        while !stop.arrives(withinMicroseconds: Self.interval) {
            guard let request = mailbox.pendingRequest else { continue }
            count += 1
            try answer(request, count)
        }
        log.write("stopped", [("reports", .number(count))])
    }

    private borrowing func answer(
        _ request: Mailbox.Request, _ count: Int
    ) throws(PSPFault) {
        guard request.reportData.count == MailboxLayout.inputSize, request.privilegeLevel <= 3
        else {
            mailbox.refuse(request, errno: EINVAL)
            log.write("refused", [("input_length", .number(request.reportData.count))])
            return
        }
        let isFaulty = count > faultAfter
        let answer: Answer
        if isFaulty, let recording {
            answer = recording
        } else {
            do throws(CryptoError) {
                answer = try processor.answer(
                    request.reportData, vmpl: request.privilegeLevel, isFaulty: isFaulty)
            } catch {
                throw .defect("\(error)")
            }
        }
        if isFaulty { try record(answer) }
        mailbox.answer(request, with: answer)
        let names = faults.map(\.name).joined(separator: ",")
        log.write(
            "report",
            [
                ("number", .number(count)),
                ("report_data", .string(Hex.encode(request.reportData))),
                ("report_id", .string(processor.reportID.hex)),
                ("vmpl", .number(Int(request.privilegeLevel))),
                ("fault", isFaulty && !faults.isEmpty ? .string(names) : .null),
            ])
    }

    private borrowing func record(_ answer: Answer) throws(PSPFault) {
        for case .record(let path) in faults {
            do throws(SystemError) {
                try File.writeAtomically(path, answer.recorded)
            } catch {
                throw .unavailable("\(error)")
            }
        }
    }
}
