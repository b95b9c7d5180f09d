import AdminAPI
public import Authenticators
public import Bytes
public import Endorsements
public import Linux
public import Logging
public import OpenSSL
public import Policy
public import Protocol
public import Store
import Synchronization

/// A launch that was challenged, and what its connection has to remember. Holds no secret.
public struct Launch: Sendable {
    /// The id in CHALLENGE.
    public let id: FixedBytes<16>
    /// What the attester asked for.
    public let hello: Hello
    /// Address of the peer.
    public let peer: String
}

/// What the peer is to be told about evidence.
public enum Verdict: Sendable {
    /// Send it; the ledger has the row.
    case release(Release, RecordedLaunch)
    /// Say no.
    case refuse(Refused.Code, LaunchReference)
    /// Say not yet: what a vendor publishes is being fetched.
    case hold(seconds: UInt16, LaunchReference)
}

/// Decides launches: challenge, authenticate, judge, record, and only then release.
///
/// Holds no connection and no secret between calls. `work` carries on where the caller likes to
/// have it, so that sealing happens on the connection's own event loop.
public final class LaunchAuthority: Sendable {
    /// Runs a piece of work on the thread that the caller wants.
    public typealias Executor = @Sendable (@escaping @Sendable () -> Void) -> Void

    /// Counts since the start.
    public let statistics: LaunchStatistics

    private let store: any BrokerStore
    private let envelope: Envelope
    private let authenticator: any EvidenceAuthenticator
    private let desk: EndorsementDesk?
    private let readPolicy: @Sendable (String) -> AppraisalPolicy?
    private let policies = Mutex<[FixedBytes<32>: AppraisalPolicy]>([:])
    private let strangers: MinuteBudget
    private let log: Logger
    private let clock: @Sendable () -> Int64

    /// Non-copyable things live in classes when several need them.
    private final class Envelope: Sendable {
        let keys: KeyEnvelope
        init(_ keys: consuming KeyEnvelope) { self.keys = keys }
    }

    /// Combines the parts.
    ///
    /// - Parameters:
    ///   - desk: where missing endorsements are ordered; with none, nothing is held for them.
    ///   - readPolicy: makes a policy of its TOML text, nil where this version cannot use it.
    ///   - strangerRows: ledger rows a minute for evidence that is not authentic: for one address,
    ///     and for all.
    ///   - clock: seconds since 1970, UTC.
    public init(
        store: any BrokerStore, envelope: consuming KeyEnvelope,
        authenticator: any EvidenceAuthenticator, desk: EndorsementDesk? = nil,
        readPolicy: @escaping @Sendable (String) -> AppraisalPolicy?,
        strangerRows: (perAddress: Int, total: Int) = (10, 60),
        statistics: LaunchStatistics = LaunchStatistics(), log: Logger,
        clock: @escaping @Sendable () -> Int64 = { Clock.realtime }
    ) {
        self.store = store
        self.envelope = Envelope(envelope)
        self.authenticator = authenticator
        self.desk = desk
        self.readPolicy = readPolicy
        strangers = MinuteBudget(each: strangerRows.perAddress, total: strangerRows.total)
        self.statistics = statistics
        self.log = log
        self.clock = clock
    }

    /// Answers a HELLO, whoever sent it; nothing is judged before there is evidence.
    public func challenge(_ hello: Hello, from peer: String) -> (Launch, Challenge) {
        let id = Self.random(as: FixedBytes<16>.self)
        let wanted = hello.evidenceKinds.intersection(authenticator.kinds)
        let challenge = Challenge(
            launchID: id, nonce: Self.random(),
            evidenceKinds: wanted.isEmpty ? hello.evidenceKinds : wanted,
            time: UInt64(clamping: clock()))
        return (Launch(id: id, hello: hello, peer: peer), challenge)
    }

    /// Authenticates and judges evidence; `done` is called by `executor`, after the row is durable.
    public func appraise(
        _ evidence: EvidenceMessage, of launch: Launch, binding: FixedBytes<64>,
        executor: @escaping Executor, done: @escaping @Sendable (Verdict) -> Void
    ) {
        let start = Clock.monotonicNanoseconds
        let time = clock()
        let authentication: Authentication
        do throws(ParseError) {
            authentication = try authenticator.authenticate(evidence, binding: binding, at: time)
        } catch {
            statistics.count(.malformed)
            log.info(
                "evidence refused",
                metadata: ["peer": "\(launch.peer)", "reason": "\(error)"])
            return done(.refuse(.malformed, Self.anonymousReference(launch.id)))
        }
        let supply =
            desk?.request(authentication.missing, for: launch.peer)
            ?? EndorsementDesk.Reply(retryAfter: nil, notes: [:])
        if authentication.claims == nil {
            if supply.retryAfter == nil { statistics.count(.unauthentic) }
            guard strangers.take(launch.peer, at: time) else {
                statistics.countUnrecorded()
                return done(Self.notNow(supply, Self.anonymousReference(launch.id)))
            }
        }
        let judge = LaunchJudge(
            launchID: launch.id, hello: launch.hello, binding: binding, peer: launch.peer,
            time: time, authentication: authentication, supply: supply)
        let question = LaunchQuestion(
            vm: launch.hello.vm.description, reportID: authentication.claims?.snp?.reportID,
            needsReportID: authentication.claims?.tdx == nil)
        store.decide(question) { facts in
            judge.entry(
                for: facts, policy: facts.policy.flatMap(self.policy),
                tookMicroseconds: Int64((Clock.monotonicNanoseconds - start) / 1000))
        } done: { result in
            executor { done(self.verdict(result, launch, binding, supply)) }
        }
    }

    private func verdict(
        _ result: Result<RecordedLaunch, StoreError>, _ launch: Launch, _ binding: FixedBytes<64>,
        _ supply: EndorsementDesk.Reply
    ) -> Verdict {
        switch result {
        case .failure(let error):
            statistics.count(.unavailable)
            log.error("launch not recorded", metadata: ["reason": "\(error)"])
            return .refuse(.busy, Self.anonymousReference(launch.id))
        case .success(let recorded):
            statistics.count(recorded.entry.decision)
            let reference = LaunchReference(number: recorded.number)
            log.info(
                "launch",
                metadata: [
                    "reference": "\(reference)", "vm": "\(recorded.entry.vm)",
                    "peer": "\(launch.peer)", "decision": "\(recorded.entry.decision.rawValue)",
                    "refused": "\(recorded.entry.refusedChecks.joined(separator: ","))",
                    "microseconds": "\(recorded.entry.tookMicroseconds)",
                ])
            if recorded.entry.decision == .held { return Self.notNow(supply, reference) }
            guard recorded.entry.decision == .released, let vm = recorded.vm else {
                if recorded.entry.policy != nil || recorded.entry.reportID != nil {
                    statistics.count(.policy)
                }
                return .refuse(.refused, reference)
            }
            do {
                return .release(try seal(vm, for: launch, binding), recorded)
            } catch {
                statistics.count(.unavailable)
                log.error(
                    "released key cannot be sealed",
                    metadata: ["reference": "\(reference)", "reason": "\(error)"])
                let outcome = OutcomeEntry(
                    outcome: .failed, failure: "broker could not seal the key", time: clock())
                store.close(launch: launch.id, with: outcome) { _ in }
                return .refuse(.refused, reference)
            }
        }
    }

    /// "Not yet" where something is being fetched, else no.
    private static func notNow(
        _ supply: EndorsementDesk.Reply, _ reference: LaunchReference
    ) -> Verdict {
        guard let seconds = supply.retryAfter else { return .refuse(.refused, reference) }
        return .hold(seconds: UInt16(clamping: seconds), reference)
    }

    private func seal(
        _ vm: EnrolledVM, for launch: Launch, _ binding: FixedBytes<64>
    ) throws -> Release {
        let place = KeyEnvelope.Place(vm: vm.id, keyName: vm.keyName, version: vm.keyVersion)
        let key = try envelope.keys.open(vm.sealedKey, .diskKey, of: place)
        let payload = try ReleasePayload(
            launchID: launch.id, keyslot: vm.keyslot, key: key, volumeKeyCheck: vm.volumeKeyCheck)
        let plaintext = payload.encoded()
        let sealed = try HPKE.seal(
            to: launch.hello.hpkePublicKey, info: binding.bytes, aad: [], plaintext: plaintext,
            ephemeral: Random.secret(32))
        guard let release = Release(encapsulatedKey: sealed.enc, ciphertext: sealed.ciphertext)
        else {
            throw ParseError.lengthOutOfBounds(
                field: "ciphertext", length: sealed.ciphertext.count, minimum: 17, maximum: 2048)
        }
        return release
    }

    /// Records an OUTCOME that came by the launch's own connection; `done` hears whether it could be.
    public func conclude(
        _ outcome: Outcome, of recorded: RecordedLaunch, done: @escaping @Sendable (Bool) -> Void
    ) {
        let entry: OutcomeEntry
        switch outcome {
        case .unlocked(let proof, _):
            let isProved =
                recorded.vm.map { proves(proof, $0, recorded.entry.binding) } ?? false
            entry = OutcomeEntry(
                outcome: isProved ? .unlocked : .failed,
                failure: isProved ? nil : "proof of unlock refused", time: clock())
        case .failed(let reason, let detail):
            entry = OutcomeEntry(
                outcome: .failed, failure: reason.description, detail: Self.printable(detail),
                time: clock())
        }
        close(recorded.entry.launchID, recorded.number, with: entry, done: done)
    }

    /// Records the proof of a launch whose own connection is gone; `done` hears whether it was good.
    public func conclude(
        _ late: LateOutcome, from peer: String, done: @escaping @Sendable (Bool) -> Void
    ) {
        store.openLaunch(late.launchID) { result in
            guard case .success(.some((let row, let vm))) = result,
                self.proves(late.proof, vm, row.entry.binding)
            else {
                self.statistics.count(.lateProof)
                self.log.info("late proof refused", metadata: ["peer": "\(peer)"])
                return done(false)
            }
            let entry = OutcomeEntry(outcome: .unlocked, time: self.clock())
            self.close(late.launchID, row.number, with: entry, done: done)
        }
    }

    private func close(
        _ id: FixedBytes<16>, _ number: Int64, with entry: OutcomeEntry,
        done: @escaping @Sendable (Bool) -> Void
    ) {
        store.close(launch: id, with: entry) { result in
            let reference = LaunchReference(number: number)
            switch result {
            case .success:
                self.statistics.count(entry.outcome)
                self.log.info(
                    "outcome",
                    metadata: [
                        "reference": "\(reference)", "outcome": "\(entry.outcome.rawValue)",
                        "failure": "\(entry.failure ?? "")",
                    ])
                done(true)
            case .failure(let error):
                self.statistics.count(.unavailable)
                self.log.error(
                    "outcome not recorded",
                    metadata: ["reference": "\(reference)", "reason": "\(error)"])
                done(false)
            }
        }
    }

    /// Whether `proof` is HMAC-SHA256(proof key, binding); compared in constant time.
    private func proves(
        _ proof: FixedBytes<32>, _ vm: EnrolledVM, _ binding: FixedBytes<64>
    ) -> Bool {
        let place = KeyEnvelope.Place(vm: vm.id, keyName: vm.keyName, version: vm.keyVersion)
        do {
            let key = try envelope.keys.open(vm.sealedProofKey, .proofKey, of: place)
            return HMAC.sha256(key: key, binding.bytes) == proof
        } catch {
            log.error("sealed proof key cannot be opened", metadata: ["vm": "\(vm.id)"])
            return false
        }
    }

    /// Seals the keys of an enrolment to the version that it will have.
    public func seal(
        key: borrowing SecretBytes, proofKey: borrowing SecretBytes, to place: KeyEnvelope.Place
    ) throws(CryptoError) -> (key: [UInt8], proofKey: [UInt8]) {
        (
            try envelope.keys.seal(key, .diskKey, to: place),
            try envelope.keys.seal(proofKey, .proofKey, to: place)
        )
    }

    /// Parsed once for each identity: the text of an identity never changes its meaning.
    private func policy(_ stored: StoredPolicy) -> AppraisalPolicy? {
        if let known = policies.withLock({ $0[stored.identity] }) { return known }
        guard let policy = readPolicy(stored.toml) else { return nil }
        policies.withLock { $0[stored.identity] = policy }
        return policy
    }

    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { (0x20...0x7e).contains($0.value) }))
    }

    /// For refusals that have no row: enough to find the line in the broker's log.
    public static func anonymousReference(_ launch: FixedBytes<16>) -> LaunchReference {
        guard let reference = LaunchReference("A-\(launch.hex.prefix(12))") else {
            preconditionFailure("a prefix of hexadecimal digits is a reference")
        }
        return reference
    }

    private static func random<let count: Int>(
        as type: FixedBytes<count>.Type = FixedBytes<count>.self
    ) -> FixedBytes<count> {
        let bytes = Random.bytes(count)
        guard let value = FixedBytes<count>(bytes) else {
            preconditionFailure("asked for \(count) random bytes, have \(bytes.count)")
        }
        return value
    }
}

extension LaunchReference {
    /// `L-00042` for ledger row 42.
    public init(number: Int64) {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, 5 - digits.count))
        guard let reference = LaunchReference("L-\(zeros)\(digits)") else {
            preconditionFailure("a row number is a reference")
        }
        self = reference
    }
}
