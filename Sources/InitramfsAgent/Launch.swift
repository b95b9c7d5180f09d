import Attester
import BrokerLink
import Bytes
import Linux
import OpenSSL
import Protocol

/// One launch from start to end, docs/protocol.md in order. Blocks; has no threads.
struct Launch {
    /// How long `on_unreachable = poweroff | reboot` gives the brokers.
    private static let patience = Duration.seconds(120)
    /// Between a refusal and the next try, with `retry`.
    private static let retryPause: UInt64 = 30_000
    /// How long a broker may think about evidence.
    private static let decisionTime: UInt64 = 30_000_000_000
    /// How often a report is asked for before the platform counts as broken.
    private static let evidenceAttempts = 5

    let options: LaunchOptions
    let speaker: Speaker
    let hashing = OpenSSLHashing()
    var report = LaunchReport(now: Clock.monotonicNanoseconds)
    /// The trusted configuration, once there is one.
    private(set) var config: GateConfig?

    private let givenPlatform: (any EvidenceProvider)?

    /// - Parameter platform: for tests, instead of the one that the kernel shows.
    init(_ options: LaunchOptions, platform: (any EvidenceProvider)? = nil) {
        self.options = options
        givenPlatform = platform
        speaker = Speaker(terminal: options.console)
    }

    /// Does everything; returns when the machine may go on, or must not.
    mutating func run() -> Ending {
        do throws(StopError) {
            let preparation = Preparation(options: options, speaker: speaker, hashing: hashing)
            try preparation.checkGuest()
            var platform =
                if let givenPlatform { givenPlatform } else { try preparation.platform() }
            finished("platform")
            let chosen = try preparation.chosenConfig(platform)
            platform = try preparation.completed(platform, chosen.config)
            config = chosen.config
            report.vm = chosen.config.vm.description
            finished("config")
            let early = try preparation.disks(chosen.config)
            finished("header")
            let context: TLSClientContext
            do throws(TLSError) {
                context = try TLSClientContext(pins: chosen.config.pins, alpn: "bootgate/1")
            } catch {
                throw StopError(.internalError, error.description)
            }
            awaitNetwork(chosen.config)
            let disks = preparation.disks(since: early, chosen.config)
            finished("network")
            return settle(chosen, platform, disks, context)
        } catch {
            return .stopped(error.stop, error.problem)
        }
    }

    private func awaitNetwork(_ config: GateConfig) {
        let count = config.brokers.count
        let brokers = count == 1 ? "1 broker" : "\(count) brokers"
        if let address = Network.wait(for: config.brokers) {
            if options.activates { Network.provideNameServers() }
            speaker.say(
                "network up (\(address.interface) \(address.address)), asking \(brokers)")
        } else {
            speaker.say("asking \(brokers)")
        }
    }

    /// Asks for each disk in turn until one is open, or gate.conf says to stop.
    private mutating func settle(
        _ chosen: ChosenConfig, _ platform: any EvidenceProvider, _ disks: [RootDisk],
        _ context: TLSClientContext
    ) -> Ending {
        while true {
            var ending = Ending.unreachable
            for disk in disks {
                ending = attempt(chosen, platform, disk, context)
                // Another disk of that UUID may be the one that the broker knows.
                if case .refused = ending { continue }
                break
            }
            guard options.activates, ending.action(config) == .retry else { return ending }
            speaker.say("\(ending.line). Trying again in \(Self.retryPause / 1000) s.")
            Clock.sleep(milliseconds: Self.retryPause)
        }
    }

    /// One disk, until a broker has decided.
    private mutating func attempt(
        _ chosen: ChosenConfig, _ platform: any EvidenceProvider, _ disk: RootDisk,
        _ context: TLSClientContext
    ) -> Ending {
        let introduction = Introduction(
            vm: chosen.config.vm, keyName: chosen.config.keyName, configDigest: chosen.digest,
            headerDigest: disk.digest, evidenceKind: platform.kind)
        let speaker = speaker
        let policy = chosen.config.onUnreachable
        let race = BrokerRace(
            brokers: chosen.config.brokers, context: context, opening: .launch(introduction)
        ) { failure, seconds in
            speaker.say(
                "\(failure), trying on (waiting \(seconds) s; "
                    + "`on_unreachable = \(policy.rawValue)`)")
        }
        let deadline = policy == .retry ? nil : BrokerRace.now + Self.patience
        var evidenceFailures = 0
        while true {
            guard let winner = race.run(until: deadline) else { return .unreachable }
            report.broker = winner.connection.address.description
            finished("connect")
            do throws(ConnectionError) {
                switch try decision(winner, platform) {
                case .released(let release, let binding, let challenge):
                    let key = ReleasedKey(release: release, binding: binding, challenge: challenge)
                    return open(key, on: winner.connection, disk, chosen, platform, race)
                case .refused(let refused) where refused.code == .refused:
                    report.reference = refused.reference.description
                    return .refused(reference: refused.reference.description)
                case .refused(let refused):
                    throw .turnedAway(refused.code)
                case .held(let held):
                    let seconds = min(max(held.retryAfterSeconds, 1), 3600)
                    report.reference = held.reference.description
                    speaker.say(
                        "held, reference \(held.reference): the broker is not ready to decide. "
                            + "Asking again in \(seconds) s.")
                    winner.connection.close()
                    Clock.sleep(milliseconds: UInt64(seconds) * 1000)
                case .noEvidence(let error):
                    winner.connection.close()
                    evidenceFailures += 1
                    guard evidenceFailures < Self.evidenceAttempts else {
                        return .stopped(.unavailable, error.description)
                    }
                    speaker.say("\(error); asking again")
                    Clock.sleep(milliseconds: 1000)
                }
            } catch {
                speaker.say("\(error.description(at: winner.connection.address)); trying again")
                Clock.sleep(milliseconds: 1000 + UInt64(Random.bytes(1)[0]) * 4)
            }
        }
    }

    /// What came of one connection's evidence.
    private enum Decision {
        case released(Release, binding: FixedBytes<64>, Challenge)
        case refused(Refused)
        case held(Held)
        case noEvidence(AttesterError)
    }

    private mutating func decision(
        _ winner: BrokerRace.Winner, _ platform: any EvidenceProvider
    ) throws(ConnectionError) -> Decision {
        let challenge: Challenge
        switch winner.events.first {
        case .challenge(let first): challenge = first
        case .refused(let refused): return .refused(refused)
        default: throw .closed
        }
        let connection = winner.connection
        guard let plain = connection.reportData() else { throw .closed }
        let evidence: EvidenceMessage
        do throws(AttesterError) {
            evidence = try platform.evidence { name in
                connection.reportData(attestationKeyName: name) ?? plain
            }
        } catch {
            return .noEvidence(error)
        }
        finished("evidence")
        try winner.connection.send(evidence)
        let answer = try winner.connection.next(
            until: Clock.monotonicNanoseconds + Self.decisionTime)
        finished("release")
        switch answer.first {
        case .released(let release, let binding):
            return .released(release, binding: binding, challenge)
        case .refused(let refused): return .refused(refused)
        case .held(let held): return .held(held)
        default: throw .closed
        }
    }

    private mutating func open(
        _ key: ReleasedKey, on connection: Connection, _ disk: RootDisk,
        _ chosen: ChosenConfig, _ platform: any EvidenceProvider, _ race: BrokerRace
    ) -> Ending {
        let opening = DiskOpening(
            disk: disk, config: chosen.config, activates: options.activates, hashing: hashing)
        do throws(OpeningError) {
            let proof = try opening.open(key, sealedTo: connection) { finished($0) }
            if options.activates {
                if let problem = endEvidence(platform) {
                    tell(connection, OpeningError(reason: .other, detail: problem))
                    return .stopped(.internalError, problem)
                }
                leave(chosen)
            }
            let delivery = OutcomeDelivery(
                late: LateOutcome(launchID: key.challenge.launchID, proof: proof), race: race,
                speaker: speaker)
            delivery.deliver(on: connection, keepsUndelivered: options.activates)
            finished("outcome")
            return .opened
        } catch {
            // Every secret is wiped by now: they died with the call above.
            finished("open")
            tell(connection, error)
            return .notOpened(error.reason.description)
        }
    }

    /// For the runtime agent, which says so where it is missing; the boot does not depend on it.
    private func leave(_ chosen: ChosenConfig) {
        do throws(SystemError) {
            try HandOver.leave(config: chosen.bytes)
        } catch {
            speaker.say("gate.conf could not be left for the runtime agent: \(error)")
        }
    }

    /// What keeps the machine from being handed over, although the root is open; nil when nothing does.
    private mutating func endEvidence(_ platform: any EvidenceProvider) -> String? {
        do throws(AttesterError) {
            try platform.endEvidence()
            finished("end")
            return nil
        } catch {
            // The check of the mounted root must fail too, should a power-off take its time.
            RootState.remove()
            return error.description
        }
    }

    /// Tells the broker why the key was of no use; the agent goes its way whether it hears or not.
    private mutating func tell(_ connection: Connection, _ error: OpeningError) {
        do throws(ConnectionError) {
            try connection.send(.failed(reason: error.reason, detail: error.detail))
            _ = try connection.next(until: Clock.monotonicNanoseconds + 3_000_000_000)
        } catch {
            speaker.say("the broker could not be told: \(error)")
        }
        connection.close()
        finished("outcome")
    }

    private mutating func finished(_ step: String) {
        report.finished(step, at: Clock.monotonicNanoseconds)
    }
}
