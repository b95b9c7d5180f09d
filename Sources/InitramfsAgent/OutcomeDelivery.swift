import BrokerLink
import Bytes
import Linux
import Protocol

/// Tells the broker that the disk is open; the boot waits for it no longer than ``patience``.
struct OutcomeDelivery {
    static let patience: UInt64 = 10_000_000_000

    /// No secret: it proves one launch.
    let late: LateOutcome
    let race: BrokerRace
    let speaker: Speaker

    func deliver(on connection: Connection, keepsUndelivered: Bool) {
        let deadline = Clock.monotonicNanoseconds + Self.patience
        do throws(ConnectionError) {
            try connection.send(.unlocked(proof: late.proof, stagedDigest: nil))
            try judge(try connection.next(until: deadline))
            connection.close()
            return
        } catch {
            connection.close()
            speaker.say("the broker has not heard of the unlocking yet: \(error)")
        }
        if deliverLate(until: deadline) { return }
        speaker.say("the boot goes on; the broker will be told later")
        guard keepsUndelivered else { return }
        do throws(SystemError) {
            try HandOver.leave(late)
        } catch {
            speaker.say("\(error)")
        }
    }

    /// Fresh connections, one proof: whoever answers first has it.
    private func deliverLate(until deadline: UInt64) -> Bool {
        let late = BrokerRace(
            brokers: race.brokers, context: race.context, opening: .late(late)
        ) { _, _ in }
        guard let winner = late.run(until: .nanoseconds(Int64(deadline))) else { return false }
        winner.connection.close()
        do throws(ConnectionError) {
            try judge(winner.events)
        } catch {
            speaker.say("the broker did not take the late proof: \(error)")
            return false
        }
        speaker.say("the broker has been told on a second connection")
        return true
    }

    private func judge(_ events: [AttesterEvent]) throws(ConnectionError) {
        switch events.first {
        case .closed, .commit: return
        case .refused(let refused): throw .turnedAway(refused.code)
        default: throw .closed
        }
    }
}
