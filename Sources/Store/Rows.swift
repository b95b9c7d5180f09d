import AdminAPI
import Bytes
import Foundation
import GRDB
import Policy

/// Reads typed values out of a row, naming the column that holds none.
struct Columns {
    let row: Row
    let table: String

    func text(_ column: String) throws -> String {
        guard let value = String.fromDatabaseValue(row[column]) else { throw corrupt(column) }
        return value
    }

    func integer(_ column: String) throws -> Int64 {
        guard let value = Int64.fromDatabaseValue(row[column]) else { throw corrupt(column) }
        return value
    }

    func bytes(_ column: String) throws -> [UInt8] {
        guard let value = Data.fromDatabaseValue(row[column]) else { throw corrupt(column) }
        return Array(value)
    }

    func optionalText(_ column: String) -> String? { String.fromDatabaseValue(row[column]) }

    func optionalInteger(_ column: String) -> Int64? { Int64.fromDatabaseValue(row[column]) }

    /// A counter of a TPM.
    func optionalCounter(_ column: String) -> UInt32? {
        optionalInteger(column).flatMap { UInt32(exactly: $0) }
    }

    /// Ids that are joined by commas.
    func list(_ column: String) throws -> [String] {
        try text(column).split(separator: ",").map(String.init)
    }

    func fixed<let count: Int>(_ column: String) throws -> FixedBytes<count> {
        guard let value = FixedBytes<count>(try bytes(column)) else { throw corrupt(column) }
        return value
    }

    func optionalFixed<let count: Int>(_ column: String) throws -> FixedBytes<count>? {
        guard let data = Data.fromDatabaseValue(row[column]) else { return nil }
        guard let value = FixedBytes<count>(data) else { throw corrupt(column) }
        return value
    }

    func choice<T: RawRepresentable>(_ column: String) throws -> T where T.RawValue == String {
        guard let value = T(rawValue: try text(column)) else { throw corrupt(column) }
        return value
    }

    func optionalChoice<T: RawRepresentable>(
        _ column: String
    ) throws -> T? where T.RawValue == String {
        guard let text = optionalText(column) else { return nil }
        guard let value = T(rawValue: text) else { throw corrupt(column) }
        return value
    }

    private func corrupt(_ column: String) -> StoreError { .corrupt(table: table, column: column) }
}

extension Row {
    fileprivate subscript(name: String) -> DatabaseValue {
        (self[name] as (any DatabaseValueConvertible)?)?.databaseValue ?? .null
    }
}

extension EnrolledVM {
    init(_ row: Row) throws {
        let columns = Columns(row: row, table: "vms")
        self.init(
            id: try columns.text("id"), state: try columns.choice("state"),
            disabledReason: columns.optionalText("disabled_reason"),
            policy: try columns.text("policy"), configDigest: try columns.fixed("config_digest"),
            gateConf: try columns.text("gate_conf"), luksUUID: try columns.text("luks_uuid"),
            keyName: try columns.text("key_name"), keyslot: Int(try columns.integer("keyslot")),
            headerDigest: try columns.fixed("header_digest"),
            volumeKeyCheck: try columns.fixed("volume_key_check"),
            keyVersion: Int(try columns.integer("key_version")),
            sealedKey: try columns.bytes("sealed_key"),
            sealedProofKey: try columns.bytes("sealed_proof_key"),
            created: try columns.integer("created"), updated: try columns.integer("updated"))
    }

    var arguments: StatementArguments {
        [
            id, state.rawValue, disabledReason, policy, Data(configDigest.bytes), gateConf,
            luksUUID, keyName, keyslot, Data(headerDigest.bytes), Data(volumeKeyCheck.bytes),
            keyVersion, Data(sealedKey), Data(sealedProofKey), created, updated,
        ]
    }
}

extension StoredPolicy {
    init(_ row: Row) throws {
        let columns = Columns(row: row, table: "policies")
        self.init(
            name: try columns.text("name"), identity: try columns.fixed("identity"),
            toml: try columns.text("toml"), created: try columns.integer("created"))
    }
}

extension LaunchEntry {
    init(_ columns: Columns) throws {
        self.init(
            launchID: try columns.fixed("launch_id"), vm: try columns.text("vm"),
            time: try columns.integer("time"), from: try columns.text("peer"),
            platform: columns.optionalText("platform"), decision: try columns.choice("decision"),
            refusedChecks: try columns.list("refused_checks"),
            tookMicroseconds: try columns.integer("took_microseconds"),
            policy: columns.optionalText("policy"),
            policyIdentity: try columns.optionalFixed("policy_identity"),
            reportID: try columns.optionalFixed("report_id"),
            chipID: try columns.optionalFixed("chip_id"),
            measurement: try columns.optionalFixed("measurement"),
            launchClass: try columns.optionalChoice("launch_class"),
            anchor: try columns.optionalChoice("anchor"),
            binding: try columns.fixed("binding"), findings: try columns.text("findings"))
    }

    var arguments: StatementArguments {
        [
            Data(launchID.bytes), vm, time, from, platform, decision.rawValue,
            refusedChecks.joined(separator: ","), tookMicroseconds, policy,
            policyIdentity.map { Data($0.bytes) }, reportID.map { Data($0.bytes) },
            chipID.map { Data($0.bytes) }, measurement.map { Data($0.bytes) },
            Data(binding.bytes), findings, decision == .released ? "open" : "none",
            launchClass?.rawValue, anchor?.rawValue,
        ]
    }
}

extension LedgerRow {
    init(_ row: Row) throws {
        let columns = Columns(row: row, table: "launches")
        self.init(
            number: try columns.integer("number"), entry: try LaunchEntry(columns),
            outcome: try columns.choice("outcome"), failure: columns.optionalText("failure"),
            failureDetail: columns.optionalText("failure_detail"),
            outcomeTime: columns.optionalInteger("outcome_time"))
    }
}
