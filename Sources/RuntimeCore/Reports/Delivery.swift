import BrokerLink
import Linux
import OpenSSL
import Protocol

/// Why a report did not come to an end.
enum ReportError: Error, Equatable, CustomStringConvertible {
    /// What the launch left.
    case handOver(HandOverError)
    /// There is no evidence.
    case evidence(RuntimeEvidenceError)
    /// No broker answered; the last failure.
    case noAnswer(failure: String)
    /// A broker answered and then did not go on.
    case connection(ConnectionError, SocketAddress)
    /// The pins.
    case tls(TLSError)
    /// The kernel's log.
    case log(SystemError)

    var description: String {
        switch self {
        case .handOver(let error): error.description
        case .evidence(let error): error.description
        case .noAnswer(let failure): "no broker answered: \(failure)"
        case .connection(let error, let address): error.description(at: address)
        case .tls(let error): error.description
        case .log(let error): error.description
        }
    }
}

/// How a broker is reached that the attested configuration names.
struct Delivery {
    let attested: AttestedConfig
    /// Seconds.
    let patience: Int

    /// The first broker that answers `opening`.
    func winner(_ opening: Connection.Opening) throws(ReportError) -> BrokerRace.Winner {
        let context: TLSClientContext
        do throws(TLSError) {
            context = try TLSClientContext(pins: attested.config.pins, alpn: "bootgate/1")
        } catch {
            throw .tls(error)
        }
        var last = "not within \(patience) s"
        let race = BrokerRace(
            brokers: attested.config.brokers, context: context, opening: opening
        ) { failure, _ in last = failure }
        guard let winner = race.run(until: BrokerRace.now + .seconds(patience)) else {
            throw .noAnswer(failure: last)
        }
        return winner
    }
}
