import Bytes
import Glibc
import Linux

/// Answers what comes through a mailbox, one request after the other.
struct MailboxService {
    private var guest: any MailboxGuest
    private let mailbox: Mailbox
    private let log: EventLog
    private let faults: [Fault]
    private let faultAfter: Int
    /// The answer to every request for a report, where a replay was ordered.
    private let recording: Answer?

    /// How often the mailbox is looked at, in microseconds: a guest polls as seldom.
    private static let interval = 500

    init(
        guest: any MailboxGuest, mailbox: Mailbox, log: EventLog, faults: [Fault],
        faultAfter: Int
    ) throws(PSPFault) {
        self.guest = guest
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
    mutating func run(until stop: StopSignal) throws(PSPFault) {
        log.write("ready", [])
        var count = 0
        while !stop.arrives(withinMicroseconds: Self.interval) {
            guard let request = mailbox.pendingRequest else { continue }
            if try answer(request, count + 1) { count += 1 }
        }
        log.write("stopped", [("reports", .number(count))])
    }

    /// Answers one request; whether it was for a report that leaves the machine.
    mutating func answer(_ request: Mailbox.Request, _ number: Int) throws(PSPFault) -> Bool {
        guard let operation = MailboxLayout.Operation(rawValue: request.operation),
            guest.operations.contains(operation), Self.isWellFormed(operation, request)
        else {
            refuse(request)
            return false
        }
        let isReport = operation == .report || operation == .serviceReport
        let isFaulty = isReport && number > faultAfter
        var answer = isFaulty ? recording : nil
        if answer == nil {
            answer = try guest.answer(operation, request, isFaulty: isFaulty)
        }
        guard let answer else {
            refuse(request)
            return false
        }
        if isFaulty { try record(answer) }
        mailbox.answer(request, with: answer)
        write(operation, request, number, isFaulty: isFaulty)
        return isReport
    }

    private static func isWellFormed(
        _ operation: MailboxLayout.Operation, _ request: Mailbox.Request
    ) -> Bool {
        let size = operation == .extend ? MailboxLayout.digestSize : MailboxLayout.inputSize
        return request.input.count == size && request.privilegeLevel <= 3
    }

    private func refuse(_ request: Mailbox.Request) {
        mailbox.refuse(request, errno: EINVAL)
        log.write(
            "refused",
            [
                ("operation", .number(Int(request.operation))),
                ("input_length", .number(request.input.count)),
            ])
    }

    private func write(
        _ operation: MailboxLayout.Operation, _ request: Mailbox.Request, _ number: Int,
        isFaulty: Bool
    ) {
        let names = faults.map(\.name).joined(separator: ",")
        let input = JSONText.Value.string(Hex.encode(request.input))
        let fault = JSONText.Value.string(names)
        let report: [(String, JSONText.Value)] = [
            ("number", .number(number)), ("report_data", input),
        ]
        let end: [(String, JSONText.Value)] = [
            ("vmpl", .number(Int(request.privilegeLevel))),
            ("fault", isFaulty && !faults.isEmpty ? fault : .null),
        ]
        switch operation {
        case .report: log.write("report", report + guest.identity + end)
        case .serviceReport:
            let service = JSONText.Value.string(Hex.encode(request.service))
            log.write("service_report", report + [("service", service)] + guest.identity + end)
        case .localReport: log.write("local_report", [("report_data", input)] + guest.identity)
        case .extend:
            log.write(
                "extend",
                [("register", .number(Int(request.argument))), ("digest", input)]
                    + guest.identity)
        }
    }

    private func record(_ answer: Answer) throws(PSPFault) {
        for case .record(let path) in faults {
            do throws(SystemError) {
                try File.writeAtomically(path, answer.recorded)
            } catch {
                throw .unavailable("\(error)")
            }
        }
    }
}
