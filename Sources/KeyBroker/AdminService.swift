import AdminAPI
import BrokerCore
import Bytes
import Endorsements
import Evidence
import Foundation
import Linux
import OpenSSL
import Policy
import Protocol
import Settings
import Store
import Synchronization

/// What owners can ask for, whatever carries their questions.
final class AdminService: Sendable {
    let store: any BrokerStore
    let authority: LaunchAuthority
    let desk: EndorsementDesk?
    let services: EndorsementServices
    let snapshots: SnapshotFiles
    let registrations = Turnstile()
    private let pins: [String]
    private let started = Clock.realtime
    private let listening = Mutex<[String]>([])

    init(
        store: any BrokerStore, authority: LaunchAuthority, snapshots: SnapshotFiles,
        desk: EndorsementDesk? = nil, services: EndorsementServices = EndorsementServices(),
        pins: [String]
    ) {
        self.store = store
        self.snapshots = snapshots
        self.desk = desk
        self.services = services
        self.authority = authority
        self.pins = pins
    }

    /// Remembers where launches are taken.
    func listens(on addresses: [String]) {
        listening.withLock { $0 = addresses }
    }

    func status() async throws(StoreError) -> BrokerStatus {
        let (launches, vms) = try await store.counts()
        var refusals: [String: Int] = [:]
        for (reason, count) in authority.statistics.now.refusals {
            refusals[reason.rawValue] = count
        }
        return BrokerStatus(
            version: BrokerVersion.text, started: started, launches: launches, vms: vms,
            listen: listening.withLock { $0 }, pins: pins, refusals: refusals)
    }

    func policies() async throws(StoreError) -> PolicyList {
        PolicyList(
            policies: try await store.policies().map { policy, vms in
                PolicyRecord(
                    name: policy.name, identity: policy.identity.hex, created: policy.created,
                    vms: vms)
            })
    }

    func policy(_ name: String) async throws -> PolicyRecord {
        guard let policy = try await store.policy(name) else {
            throw AdminFault(.notFound, "there is no policy \(name)")
        }
        return PolicyRecord(policy)
    }

    /// What a policy would be stored as.
    func check(_ text: PolicyText) throws(AdminFault) -> PolicyRecord {
        do {
            let policy = try AppraisalPolicy(toml: text.toml)
            return PolicyRecord(
                name: policy.name, identity: policy.identity(hashing: OpenSSLHashing()).hex,
                toml: text.toml, created: 0)
        } catch {
            let place = [error.line.map { "line \($0)" }, error.path.isEmpty ? nil : error.path]
            throw AdminFault(
                .invalid, "expected \(error.expected), got \(error.actual)",
                field: place.compactMap { $0 }.joined(separator: ", "))
        }
    }

    func save(_ text: PolicyText, as name: String) async throws -> PolicyRecord {
        var record = try check(text)
        guard record.name == name, let identity = FixedBytes<32>(hex: record.identity) else {
            throw AdminFault(
                .invalid, "expected \(name) as in the path, got \(record.name)", field: "name")
        }
        record.created = Clock.realtime
        try await store.save(
            StoredPolicy(
                name: name, identity: identity, toml: text.toml, created: record.created))
        return record
    }

    func vms() async throws(StoreError) -> VMList {
        VMList(vms: try await store.vms().map { VMRecord($0) })
    }

    func vm(_ id: String) async throws -> VMRecord {
        guard let vm = try await store.vm(id) else {
            throw AdminFault(.notFound, "there is no VM \(id)")
        }
        return VMRecord(vm)
    }

    func setEnabled(_ enabled: Bool, _ id: String, reason: String?) async throws -> VMRecord {
        guard (reason ?? "").utf8.count <= 256 else {
            throw AdminFault(.invalid, "expected at most 256 bytes", field: "reason")
        }
        try await store.setEnabled(enabled, vm: id, reason: reason, at: Clock.realtime)
        return try await vm(id)
    }

    func remove(_ id: String) async throws -> VMRecord {
        let record = try await vm(id)
        try await store.remove(vm: id)
        snapshots.remove(id)
        return record
    }

    /// Stores an enrolment; the keys are sealed before anything waits for the disk.
    func enrol(_ id: String, _ enrolment: consuming Enrolment) async throws -> VMRecord {
        let checked = try CheckedTerms(enrolment.terms, vm: id)
        try CheckedTerms.check(key: enrolment.key, proofKey: enrolment.proofKey)
        guard try await store.policy(enrolment.terms.policy) != nil else {
            throw AdminFault(
                .conflict, "there is no policy \(enrolment.terms.policy); add it first",
                field: "policy")
        }
        let version = try await store.nextKeyVersion(of: id)
        let place = KeyEnvelope.Place(
            vm: id, keyName: enrolment.terms.keyName, version: version)
        let sealed = try authority.seal(
            key: enrolment.key, proofKey: enrolment.proofKey, to: place)
        try await store.enrol(
            checked.record(version: version, sealed: sealed, at: Clock.realtime))
        return try await vm(id)
    }

    func launches(_ filter: LaunchFilter) async throws(StoreError) -> LaunchList {
        LaunchList(launches: try await store.launches(filter).map { LaunchRecord($0) })
    }

    func launch(_ reference: String) async throws -> LaunchRecord {
        let row: LedgerRow?
        if reference.hasPrefix("L-"), let number = Int64(reference.dropFirst(2)) {
            row = try await store.launch(number: number)
        } else if let id = FixedBytes<16>(hex: reference) {
            row = try await store.launch(id: id)
        } else {
            throw AdminFault(
                .invalid, "expected a reference such as L-00042 or a launch id of 32 digits",
                field: "launch")
        }
        guard let row else { throw AdminFault(.notFound, "there is no launch \(reference)") }
        var record = LaunchRecord(row)
        record.findings = try JSONDecoder().decode(
            [Finding].self, from: Data(row.entry.findings.utf8))
        return record
    }
}
