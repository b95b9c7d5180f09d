import AdminAPI
import BrokerCore
import Bytes
import Linux
import Policy
import Protocol
import Store
import Testing

@testable import KeyBroker

/// What an owner has announced: reboots by a ticket, updates by a window.
extension RuntimeReportTests {
    @Test("a reboot that nobody expected fails, though the gate saw it")
    func rebootWithoutTicket() async throws {
        try await register(vm)
        var next = vm
        next.reboot(as: 0x2d)
        try next.launch(broker)
        try await expectFailure(of: next, by: ["reboot"])
        try await finish()
    }

    @Test("a reboot that was expected and seen passes, once")
    func rebootWithTicket() async throws {
        try await register(vm)
        _ = try await service.expectReboot(
            "web-1", RuntimeRequest(reason: "new kernel", seconds: 600))
        // As long as it has not come, the old boot is good.
        #expect(try vm.report(broker).end == .closed)
        var next = vm
        next.reboot(as: 0x2d)
        try next.launch(broker)
        #expect(try next.report(broker).end == .closed)
        let record = try await service.runtime("web-1")
        let expected: FixedBytes<32> = fixed(0x2d)
        #expect(record.state == .trusted && record.ticket == nil)
        #expect(record.boot == BootRecord(reportID: expected.hex, resetCount: 4, restartCount: 0))
        let event = try await service.events("web-1", limit: 1).events.first
        #expect(event?.kind == "reboot seen" && event?.detail.contains("L-00002") == true)
        #expect(try next.report(broker).end == .closed)
        next.reboot(as: 0x3d)
        try next.launch(broker)
        try await expectFailure(of: next, by: ["reboot"])
        try await finish()
    }

    @Test("a report without its quote spends no ticket, and the boot's counters stay known")
    func ticketWithoutQuote() async throws {
        try await register(vm)
        _ = try await service.expectReboot(
            "web-1", RuntimeRequest(reason: "new kernel", seconds: 600))
        var next = vm
        next.reboot(as: 0x2d)
        try next.launch(broker)
        var bare = next
        bare.quotes = false
        try await expectFailure(of: bare, by: ["same TPM key", "reboot"])
        let record = try await service.runtime("web-1")
        #expect(record.ticket != nil && record.boot?.resetCount == 3)
        _ = try await service.resume("web-1", RuntimeRequest(reason: "seen"))
        #expect(try next.report(broker).end == .closed)
        #expect(try await service.runtime("web-1").boot?.resetCount == 4)
        try await finish()
    }

    @Test("a ticket is worth nothing after its time, nor for a launch before it")
    func ticketTimes() async throws {
        try await register(vm)
        var next = vm
        next.reboot(as: 0x2d)
        try next.launch(broker)
        let now = Clock.realtime
        for ticket in [
            TicketRecord(created: 1, expires: now - 100, reason: "expired"),
            TicketRecord(created: now + 100, expires: now + 200, reason: "after the launch"),
        ] {
            _ = try await broker.store.changeRuntime(of: "web-1", at: 1) { runtime in
                runtime.ticket = ticket
                runtime.state = .trusted
                return EventEntry("test", ticket.reason)
            }
            try await expectFailure(of: next, by: ["reboot"])
        }
        try await finish()
    }

    @Test("a reboot that the gate did not see fails with a ticket as well")
    func unseenReboot() async throws {
        try await register(vm)
        _ = try await service.expectReboot(
            "web-1", RuntimeRequest(reason: "new kernel", seconds: 600))
        var next = vm
        next.reboot(as: 0x2d)
        try await expectFailure(of: next, by: ["same launch", "reboot"])
        #expect(try await service.runtime("web-1").ticket != nil)
        try await finish()
    }

    @Test("in a window unknown files are told; a bad log fails all the same")
    func window() async throws {
        try await register(vm)
        _ = try await service.beginUpdate("web-1", RuntimeRequest(reason: "apt", seconds: 600))
        var updated = vm
        updated.entries.append(RunningVM.file("/usr/bin/new"))
        #expect(try updated.report(broker).end == .closed)
        let (report, state) = try await newest()
        #expect(report.verdict == "trusted" && state == .trusted)
        #expect(report.problems?.map(\.path) == ["/usr/bin/new"])
        #expect(report.findings?.first { $0.check == "snapshot" }?.outcome == .notChecked)
        // The next report's row does not take this one's findings.
        #expect(try updated.report(broker).end == .closed)
        #expect(try await service.report(report.reference).findings == report.findings)
        _ = try await service.endUpdate("web-1", RuntimeRequest(reason: "done"))
        try await expectFailure(of: updated, by: ["snapshot"])
        _ = try await service.beginUpdate("web-1", RuntimeRequest(reason: "apt", seconds: 600))
        let known = updated.log
        updated.entries.append(RunningVM.file("/usr/bin/more"))
        try await expectFailure(of: updated, log: known, by: ["IMA replay"])
        try await finish()
    }

    @Test("a window makes nothing trusted where the snapshot lists no files")
    func windowWithoutFiles() async throws {
        let text = String(decoding: try vm.snapshot(), as: UTF8.self)
        let start = try #require(text.firstRange(of: "\"filehashes\":"))
        let end = try #require(text.firstRange(of: "\"bootgate\":"))
        try await register(
            Array((text[..<start.upperBound] + "null,\n" + text[end.lowerBound...]).utf8))
        _ = try await service.beginUpdate("web-1", RuntimeRequest(reason: "apt", seconds: 600))
        #expect(try vm.report(broker).end == .closed)
        let (report, state) = try await newest()
        #expect(report.verdict == "not verified" && state == .neverVerified)
        try await finish()
    }
}
