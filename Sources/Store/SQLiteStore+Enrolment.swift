import AdminAPI
import Bytes
import Foundation
import GRDB
import Synchronization

extension SQLiteStore {
    /// Adds or replaces a policy.
    public func save(_ policy: StoredPolicy) async throws(StoreError) {
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO policies (name, identity, toml, created) VALUES (?, ?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET identity = excluded.identity,
                        toml = excluded.toml, created = excluded.created
                    """,
                arguments: [
                    policy.name, Data(policy.identity.bytes), policy.toml, policy.created,
                ])
            self.forget(policy: policy.name)
        }
    }

    /// The policy of that name.
    public func policy(_ name: String) async throws(StoreError) -> StoredPolicy? {
        try await read { database in try Self.fetchPolicy(name, database) }
    }

    /// All policies by name, each with how many VMs it judges.
    public func policies() async throws(StoreError) -> [(policy: StoredPolicy, vms: Int)] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT *, (SELECT count(*) FROM vms WHERE vms.policy = name) AS users
                    FROM policies ORDER BY name
                    """
            ).map { row in
                let users = try Columns(row: row, table: "policies").integer("users")
                return (policy: try StoredPolicy(row), vms: Int(users))
            }
        }
    }

    /// The version that the next enrolment has to carry.
    public func nextKeyVersion(of vm: String) async throws(StoreError) -> Int {
        try await read { database in try Self.nextKeyVersion(of: vm, database) }
    }

    /// Adds or replaces an enrolment.
    public func enrol(_ vm: EnrolledVM) async throws(StoreError) {
        try await write { database in
            guard try Self.fetchPolicy(vm.policy, database) != nil else {
                throw StoreError.missing(what: "policy", name: vm.policy)
            }
            guard try Self.nextKeyVersion(of: vm.id, database) == vm.keyVersion else {
                throw StoreError.conflict(what: "VM", name: vm.id)
            }
            // Outlives the VM, so that a sealed key of an earlier enrolment never fits a later one.
            try database.execute(
                sql: """
                    INSERT INTO key_versions (vm, version) VALUES (?, ?)
                    ON CONFLICT (vm) DO UPDATE SET version = excluded.version
                    """, arguments: [vm.id, vm.keyVersion])
            try database.execute(
                sql: """
                    INSERT INTO vms (id, state, disabled_reason, policy, config_digest, gate_conf,
                        luks_uuid, key_name, keyslot, header_digest, volume_key_check, key_version,
                        sealed_key, sealed_proof_key, created, updated)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET policy = excluded.policy,
                        config_digest = excluded.config_digest, gate_conf = excluded.gate_conf,
                        luks_uuid = excluded.luks_uuid, key_name = excluded.key_name,
                        keyslot = excluded.keyslot, header_digest = excluded.header_digest,
                        volume_key_check = excluded.volume_key_check,
                        key_version = excluded.key_version, sealed_key = excluded.sealed_key,
                        sealed_proof_key = excluded.sealed_proof_key, updated = excluded.updated
                    """, arguments: vm.arguments)
            self.forget(vm: vm.id)
        }
    }

    /// Enables or disables a VM.
    public func setEnabled(_ enabled: Bool, vm: String, reason: String?, at time: Int64)
        async throws(StoreError)
    {
        try await write { database in
            try database.execute(
                sql: "UPDATE vms SET state = ?, disabled_reason = ?, updated = ? WHERE id = ?",
                arguments: [
                    (enabled ? VMState.enabled : .disabled).rawValue, enabled ? nil : reason, time,
                    vm,
                ])
            guard database.changesCount == 1 else {
                throw StoreError.missing(what: "VM", name: vm)
            }
            self.forget(vm: vm)
        }
    }

    /// Forgets a VM and its keys.
    public func remove(vm: String) async throws(StoreError) {
        try await write { database in
            try database.execute(sql: "DELETE FROM vms WHERE id = ?", arguments: [vm])
            guard database.changesCount == 1 else {
                throw StoreError.missing(what: "VM", name: vm)
            }
            self.forget(vm: vm)
        }
    }

    /// The VM of that id.
    public func vm(_ id: String) async throws(StoreError) -> VMSummary? {
        try await read { database in
            try Row.fetchOne(
                database, sql: "\(Self.summaries) WHERE vms.id = ?", arguments: [id]
            ).map(Self.summary)
        }
    }

    /// All VMs by id.
    public func vms() async throws(StoreError) -> [VMSummary] {
        try await read { database in
            try Row.fetchAll(database, sql: "\(Self.summaries) ORDER BY vms.id").map(Self.summary)
        }
    }

    /// The enrolment as this transaction sees it.
    func vm(_ id: String, _ database: Database) throws -> EnrolledVM? {
        if let known = cache.vms.withLock({ $0[id] }) { return known }
        let row = try Row.fetchOne(
            database.cachedStatement(sql: "SELECT * FROM vms WHERE id = ?"), arguments: [id])
        guard let vm = try row.map(EnrolledVM.init) else { return nil }
        cache.vms.withLock { $0[id] = vm }
        return vm
    }

    /// The policy as this transaction sees it.
    func policy(_ name: String, _ database: Database) throws -> StoredPolicy? {
        if let known = cache.policies.withLock({ $0[name] }) { return known }
        guard let policy = try Self.fetchPolicy(name, database) else { return nil }
        cache.policies.withLock { $0[name] = policy }
        return policy
    }

    private func forget(vm: String) {
        cache.vms.withLock { $0[vm] = nil }
    }

    private func forget(policy: String) {
        cache.policies.withLock { $0[policy] = nil }
    }

    private static let summaries = """
        SELECT vms.*, policies.identity AS policy_identity,
            (SELECT max(number) FROM launches WHERE launches.vm = vms.id) AS last_launch
        FROM vms JOIN policies ON policies.name = vms.policy
        """

    private static func summary(_ row: Row) throws -> VMSummary {
        let columns = Columns(row: row, table: "vms")
        return VMSummary(
            vm: try EnrolledVM(row), policyIdentity: try columns.fixed("policy_identity"),
            lastLaunch: columns.optionalInteger("last_launch"))
    }

    private static func fetchPolicy(_ name: String, _ database: Database) throws -> StoredPolicy? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM policies WHERE name = ?", arguments: [name]
        ).map(StoredPolicy.init)
    }

    private static func nextKeyVersion(of vm: String, _ database: Database) throws -> Int {
        let last = try Int.fetchOne(
            database, sql: "SELECT version FROM key_versions WHERE vm = ?", arguments: [vm])
        return (last ?? 0) + 1
    }
}
