import BrokerLink
import Bytes
import Evidence
import Linux
import OpenSSL
import Protocol

extension BrokerReporter {
    /// How long brokers may think about evidence, or take for a stretch of the log, in nanoseconds.
    private static let decisionTime: UInt64 = 120_000_000_000

    /// HELLO to the broker's last word.
    func report(_ delivery: Delivery) throws(ReportError) -> ReportSchedule.Ending {
        let statement = try evidence { source throws(RuntimeEvidenceError) in
            try source.statement()
        }
        let config = delivery.attested.config
        let introduction = Introduction(
            vm: config.vm, keyName: config.keyName, configDigest: delivery.attested.digest,
            headerDigest: OpenSSLHashing().sha256(statement.statement.encoded()),
            evidenceKind: statement.kind)
        let winner = try delivery.winner(.report(introduction))
        let connection = winner.connection
        defer { connection.close() }
        if case .refused(let refused)? = winner.events.first {
            return refusal(refused, by: connection)
        }
        guard let plain = connection.reportData() else {
            throw .connection(.closed, connection.address)
        }
        let message = try evidence { source throws(RuntimeEvidenceError) in
            try source.evidence(of: statement.statement) { name in
                connection.reportData(attestationKeyName: name) ?? plain
            }
        }
        var events = try talk(connection) { () throws(ConnectionError) in
            try connection.send(message)
            return try connection.next(until: Self.deadline)
        }
        var sent: UInt64 = 0
        if case .logWanted(let offset)? = events.first {
            (events, sent) = try send(logFrom: offset, on: connection)
        }
        return try ending(events.first, by: connection, bytesOfLog: sent)
    }

    /// The log from `offset` to the end that it has now, a stretch at a time; the broker's answer, and how
    /// many bytes were sent.
    private func send(
        logFrom offset: UInt64, on connection: Connection
    ) throws(ReportError) -> (events: [AttesterEvent], sent: UInt64) {
        let log = try openLog()
        var sent: UInt64 = 0
        while true {
            let part = try read(log, at: offset + sent)
            let isLast = part.count < Self.stretch
            let events = try talk(connection) { () throws(ConnectionError) in
                let events = try connection.send(
                    logPart: part, isLast: isLast, until: Self.deadline)
                guard events.isEmpty, isLast else { return events }
                return try connection.next(until: Self.deadline)
            }
            sent += UInt64(part.count)
            if !events.isEmpty { return (events, sent) }
        }
    }

    private func talk<Result>(
        _ connection: Connection, _ body: () throws(ConnectionError) -> Result
    ) throws(ReportError) -> Result {
        do throws(ConnectionError) {
            return try body()
        } catch {
            throw .connection(error, connection.address)
        }
    }

    private func evidence<Result>(
        _ body: (RuntimeEvidence) throws(RuntimeEvidenceError) -> Result
    ) throws(ReportError) -> Result {
        do throws(RuntimeEvidenceError) {
            return try body(evidence)
        } catch {
            throw .evidence(error)
        }
    }

    /// Nil where the kernel keeps no log: the broker shall say what that means.
    private func openLog() throws(ReportError) -> IMALogFile? {
        guard evidence.log.exists else { return nil }
        do throws(SystemError) {
            return try evidence.log.open(.binary)
        } catch {
            throw .log(error)
        }
    }

    private func read(_ log: IMALogFile?, at offset: UInt64) throws(ReportError) -> [UInt8] {
        do throws(SystemError) {
            return try log?.read(at: offset, upTo: Self.stretch) ?? []
        } catch {
            throw .log(error)
        }
    }

    private func ending(
        _ event: AttesterEvent?, by connection: Connection, bytesOfLog: UInt64
    ) throws(ReportError) -> ReportSchedule.Ending {
        switch event {
        case .closed:
            journal("\(connection.address) has the report, with \(bytesOfLog) bytes of the IMA log")
            return .answered
        case .held(let held):
            journal(
                "\(connection.address) wants another report in \(held.retryAfterSeconds) s, "
                    + "reference \(held.reference)")
            return .held(seconds: held.retryAfterSeconds)
        case .refused(let refused): return refusal(refused, by: connection)
        default: throw .connection(.closed, connection.address)
        }
    }

    /// The console of a VM learns a reference, never the finding; a busy broker is asked again.
    private func refusal(
        _ refused: Refused, by connection: Connection
    ) -> ReportSchedule.Ending {
        guard refused.code == .refused else {
            journal("no report: \(connection.address): the broker is busy")
            return .failed
        }
        journal("\(connection.address) refused the report, reference \(refused.reference)")
        return .answered
    }

    /// Bytes of a stretch of the log.
    private static let stretch = 1 << 17

    private static var deadline: UInt64 { Clock.monotonicNanoseconds + decisionTime }
}
