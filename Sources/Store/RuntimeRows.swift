import AdminAPI
import Bytes
import Foundation
import GRDB

extension VMRuntime {
    /// Everything but the snapshot, which has a table of its own.
    init(_ row: Row) throws {
        let columns = Columns(row: row, table: "runtime")
        self.init(
            state: try columns.choice("state"), lastReport: columns.optionalInteger("last_report"),
            lastTime: columns.optionalInteger("last_time"),
            failedChecks: try columns.list("failed_checks"),
            signer: try columns.optionalFixed("signer"))
        let boot = BootRecord(
            reportID: columns.optionalText("boot_report_id"),
            resetCount: columns.optionalCounter("boot_resets"),
            restartCount: columns.optionalCounter("boot_restarts"))
        if boot != BootRecord() { self.boot = boot }
        if let opened = columns.optionalInteger("window_opened") {
            window = WindowRecord(
                opened: opened, expires: try columns.integer("window_expires"),
                reason: try columns.text("window_reason"))
        }
        if let created = columns.optionalInteger("ticket_created") {
            ticket = TicketRecord(
                created: created, expires: try columns.integer("ticket_expires"),
                reason: try columns.text("ticket_reason"))
        }
    }

    func arguments(of vm: String) -> StatementArguments {
        [
            vm, state.rawValue, lastReport, lastTime, failedChecks.joined(separator: ","),
            signer.map { Data($0.bytes) }, boot?.reportID, boot?.resetCount.map { Int64($0) },
            boot?.restartCount.map { Int64($0) }, window?.opened, window?.expires, window?.reason,
            ticket?.created, ticket?.expires, ticket?.reason,
        ]
    }
}

extension ReportEntry {
    var arguments: StatementArguments {
        [
            vm, time, from, platform, verdict.rawValue, refusedChecks.joined(separator: ","),
            tookMicroseconds, policyIdentity.map { Data($0.bytes) }, boot.reportID,
            boot.resetCount.map { Int64($0) }, boot.restartCount.map { Int64($0) }, snapshot,
            entries,
            quotedEntries, findings, problems,
        ]
    }
}

extension ReportRow {
    init(_ row: Row) throws {
        let columns = Columns(row: row, table: "reports")
        number = try columns.integer("number")
        entry = ReportEntry(
            vm: try columns.text("vm"), time: try columns.integer("time"),
            from: try columns.text("peer"), platform: columns.optionalText("platform"),
            verdict: try columns.choice("verdict"),
            refusedChecks: try columns.list("refused_checks"),
            tookMicroseconds: try columns.integer("took_microseconds"),
            policyIdentity: try columns.optionalFixed("policy_identity"),
            boot: BootRecord(
                reportID: columns.optionalText("report_id"),
                resetCount: columns.optionalCounter("resets"),
                restartCount: columns.optionalCounter("restarts")),
            snapshot: columns.optionalText("snapshot"),
            entries: columns.optionalInteger("entries").map { Int($0) },
            quotedEntries: columns.optionalInteger("quoted_entries").map { Int($0) },
            findings: try columns.text("findings"), problems: try columns.text("problems"))
    }
}

extension SnapshotRecord {
    init(_ row: Row) throws {
        let columns = Columns(row: row, table: "snapshots")
        self.init(
            vm: try columns.text("vm"), digest: try columns.text("digest"),
            size: try columns.integer("size"), files: Int(try columns.integer("files")),
            registered: try columns.integer("registered"), signer: columns.optionalText("signer"))
    }
}

extension VMEvent {
    init(_ row: Row) throws {
        let columns = Columns(row: row, table: "events")
        self.init(
            number: try columns.integer("number"), vm: try columns.text("vm"),
            time: try columns.integer("time"), kind: try columns.text("kind"),
            detail: try columns.text("detail"))
    }
}
