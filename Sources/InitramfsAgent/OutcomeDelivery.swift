import Bytes
import Linux
import Protocol

/// Tells the broker that the disk is open; the boot waits for it no longer than ``patience``.
struct OutcomeDelivery {
    static let patience: UInt64 = 10_000_000_000
    /// Where an undelivered proof waits for the runtime agent. It is no secret: it proves one launch.
    static let path = "\(RootState.directory)/outcome"

    let launchID: FixedBytes<16>
    let proof: FixedBytes<32>
    let race: BrokerRace
    let speaker: Speaker

    func deliver(on connection: Connection, keepsUndelivered: Bool) {
        let deadline = Clock.monotonicNanoseconds + Self.patience
        do throws(ConnectionError) {
            try connection.send(.unlocked(proof: proof, stagedDigest: nil))
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
            try File.makeDirectories(RootState.directory, mode: 0o700)
            try File.writeAtomically(Self.path, Array(text.utf8))
        } catch {
            speaker.say("\(error)")
        }
    }

    /// Such as `launch=00..`, `proof=ff..`.
    var text: String { "launch=\(launchID)\nproof=\(proof)\n" }

    /// Fresh connections, one proof: whoever answers first has it.
    private func deliverLate(until deadline: UInt64) -> Bool {
        let late = BrokerRace(
            brokers: race.brokers, context: race.context,
            opening: .late(LateOutcome(launchID: launchID, proof: proof))
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
