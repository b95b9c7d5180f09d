import AdminAPI
import BrokerCore
import Bytes
import Protocol
import Store

extension PolicyRecord {
    init(_ policy: StoredPolicy) {
        self.init(
            name: policy.name, identity: policy.identity.hex, toml: policy.toml,
            created: policy.created)
    }
}

extension VMRecord {
    init(_ summary: VMSummary) {
        let vm = summary.vm
        self.init(
            id: vm.id, state: vm.state, disabledReason: vm.disabledReason, policy: vm.policy,
            policyIdentity: summary.policyIdentity.hex, configDigest: vm.configDigest.hex,
            gateConf: vm.gateConf, headerDigest: vm.headerDigest.hex, luksUUID: vm.luksUUID,
            keyslot: vm.keyslot, keyName: vm.keyName, created: vm.created, updated: vm.updated,
            lastLaunch: summary.lastLaunch.map { LaunchReference(number: $0).description })
    }
}

extension LaunchRecord {
    /// Everything but the findings.
    init(_ row: LedgerRow) {
        let entry = row.entry
        self.init(
            reference: LaunchReference(number: row.number).description,
            launchID: entry.launchID.hex, vm: entry.vm, time: entry.time,
            timeText: ISO8601.text(entry.time), from: entry.from, platform: entry.platform,
            decision: entry.decision, refusedChecks: entry.refusedChecks, outcome: row.outcome,
            failure: row.failure, failureDetail: row.failureDetail, outcomeTime: row.outcomeTime,
            tookMilliseconds: Double(entry.tookMicroseconds) / 1000, policy: entry.policy,
            policyIdentity: entry.policyIdentity?.hex, reportID: entry.reportID?.hex,
            chipID: entry.chipID?.hex, measurement: entry.measurement?.hex,
            launchClass: entry.launchClass, anchor: entry.anchor)
    }
}
