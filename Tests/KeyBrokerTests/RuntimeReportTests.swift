import AdminAPI
import BrokerCore
import Bytes
import Evidence
import Linux
import OpenSSL
import Policy
import Protocol
import Store
import TestSupport
import Testing

@testable import KeyBroker
@testable import SimulatedPSP

/// Whole reports of a running VM, from the TLS handshake to the ledger.
@Suite("Reports of running VMs", .serialized, .timeLimit(.minutes(15)))
struct RuntimeReportTests {
    private static let toml =
        TestBroker.toml + "\n[runtime]\nrefuse_launch_after_failure = true\n"

    let broker: TestBroker
    var vm: RunningVM
    var service: AdminService { broker.service }

    init() async throws {
        let authenticator = try RunningVM(config: FixedBytes()).authenticator
        broker = try await TestBroker(
            authenticator: authenticator, toml: Self.toml, reportTime: Clock.realtime)
        vm = try RunningVM(config: try await broker.enrol())
        try vm.launch(broker)
    }

    func finish() async throws {
        try await broker.stop()
        broker.remove()
    }

    func register(_ vm: RunningVM, namesKey: Bool = true) async throws {
        try await register(try vm.snapshot(namesKey: namesKey))
    }

    func register(_ file: [UInt8]) async throws {
        let incoming = try await service.receiveSnapshot(vm.name)
        try incoming.append(file)
        _ = try await service.register(incoming, for: vm.name, SnapshotSigning())
    }

    /// The newest report with the state that the VM is in.
    func newest() async throws -> (report: ReportRecord, state: RuntimeState) {
        let reference = try #require(
            try await service.reports("web-1", limit: 1).reports.first?.reference)
        return (try await service.report(reference), try await service.runtime("web-1").state)
    }

    /// Checks that a report fails the VM for these reasons and no others.
    func expectFailure(
        of vm: RunningVM, log: [UInt8]? = nil, by checks: [String],
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let end = try vm.report(broker, log: log).end
        let (report, state) = try await newest()
        #expect(report.refusedChecks == checks, sourceLocation: location)
        #expect(report.verdict == "failed" && state == .failed, sourceLocation: location)
        guard case .refused(let refused) = end else {
            Issue.record(
                "expected REFUSED, got \(String(describing: end))", sourceLocation: location)
            return
        }
        #expect(refused.reference.description == report.reference, sourceLocation: location)
    }

    @Test("a VM without a snapshot is never verified; with one, what it runs is trusted")
    func trusted() async throws {
        #expect(try vm.report(broker).end == .closed)
        let before = try await newest()
        #expect(before.report.verdict == "not verified" && before.state == .neverVerified)
        try await register(vm)
        let (offset, end, _) = try vm.report(broker)
        #expect(offset == 0 && end == .closed)
        let (report, state) = try await newest()
        #expect(report.verdict == "trusted" && state == .trusted)
        #expect(report.refusedChecks.isEmpty && report.problems == [])
        #expect(report.entries == 3 && report.quotedEntries == 3)
        let made = report.findings?.filter { $0.outcome == .ok }.map(\.check) ?? []
        for check in ["binding", "config anchor", "same launch", "same TPM key", "IMA replay"] {
            #expect(made.contains(check), "\(check) in \(made)")
        }
        #expect(made.contains("snapshot") && made.contains("reboot"))
        #expect(broker.authority.statistics.now.reports == [.notVerified: 1, .trusted: 1])
        try await finish()
    }

    @Test("an unknown file fails the VM, which gets no key until it is resumed")
    func unknownFile() async throws {
        try await register(vm)
        var changed = vm
        changed.entries.append(RunningVM.file("/tmp/evil"))
        try await expectFailure(of: changed, by: ["snapshot"])
        let problem = try #require(try await newest().report.problems?.first)
        #expect(problem.check == "snapshot" && problem.index == 3 && problem.path == "/tmp/evil")
        let digest = RunningVM.hashing.sha256(Array("/tmp/evil".utf8)).hex
        #expect(problem.digest == "sha256:\(digest)")

        var next = vm
        next.reboot(as: 0x2d)
        guard case .refused = try next.launch(broker).answer else {
            Issue.record("expected REFUSED")
            return
        }
        let refused = try await service.launch("L-00002")
        #expect(refused.refusedChecks == ["runtime state"])
        let resumed = try await service.resume("web-1", RuntimeRequest(reason: "cleaned"))
        #expect(resumed.state == .neverVerified)
        guard case .released = try next.launch(broker).answer else {
            Issue.record("expected RELEASE")
            return
        }
        try await finish()
    }

    @Test("once failed, a VM stays so however good its next report is")
    func failureStays() async throws {
        try await register(vm)
        try await expectFailure(of: vm, log: vm.log.dropLast(5) + [], by: ["IMA log format"])
        #expect(try vm.report(broker).end == .closed)
        let (report, state) = try await newest()
        #expect(report.verdict == "trusted" && state == .failed)
        try await finish()
    }

    @Test("a log that is cut, reordered or changed does not lead to its quote")
    func changedLogs() async throws {
        try await register(vm)
        func log(_ change: (inout [IMALogBuilder.Entry]) -> Void) -> [UInt8] {
            var vm = vm
            change(&vm.entries)
            return vm.log
        }
        try await expectFailure(of: vm, log: log { $0.removeLast() }, by: ["IMA replay"])
        try await expectFailure(of: vm, log: log { $0.swapAt(1, 2) }, by: ["IMA replay"])
        let other = RunningVM.hashing.sha256([1]).bytes
        try await expectFailure(
            of: vm, log: log { $0[1] = IMALogBuilder.Entry("/usr/sbin/a", sha256: other) },
            by: ["IMA replay", "snapshot"])
        var bytes = vm.log
        // In the digest of the last file.
        bytes[bytes.count - 20] ^= 1
        #expect(try vm.report(broker, log: bytes).end != .closed)
        #expect(try await newest().report.refusedChecks.contains("IMA template hashes"))
        try await finish()
    }

    @Test("a quote by another TPM's key is not the one that the snapshot names")
    func otherTPM() async throws {
        try await register(vm)
        var other = vm
        other.tpmKey = .otherTPM
        try await expectFailure(of: other, by: ["same TPM key"])
        other.statedKeyName = try RunningVM.keyName(.tpm)
        try await expectFailure(of: other, by: ["same TPM key"])
        try await finish()
    }

    @Test("evidence of another connection is nobody's, and changes nothing")
    func replayed() async throws {
        try await register(vm)
        let good = try vm.report(broker)
        #expect(good.end == .closed)
        let replay = try vm.report(broker, replaying: good.evidence)
        guard case .refused(let refused) = replay.end else {
            Issue.record("expected REFUSED, got \(String(describing: replay.end))")
            return
        }
        #expect(replay.offset == nil && refused.reference.description == "R-00002")
        let (report, state) = try await newest()
        #expect(report.verdict == "refused" && report.refusedChecks.contains("binding"))
        #expect(state == .trusted)
        #expect(try await service.runtime("web-1").lastReport == "R-00001")
        try await finish()
    }

    @Test("only new entries travel; a broker that was started again asks for all of them")
    func increments() async throws {
        try await register(vm)
        #expect(try vm.report(broker).offset == 0)
        var later = vm
        later.entries.append(RunningVM.file("/etc/b"))
        let second = try later.report(broker)
        #expect(second.offset == UInt64(vm.log.count) && second.end == .closed)
        #expect(try await newest().report.entries == 4)

        try await broker.stop()
        try broker.store.finish()
        let again = try await TestBroker(
            authenticator: vm.authenticator, directory: broker.directory, toml: Self.toml)
        let third = try later.report(again)
        #expect(third.offset == 0 && third.end == .closed)
        later.entries.append(RunningVM.file("/tmp/evil"))
        let fourth = try later.report(again)
        #expect(fourth.offset == UInt64(later.log.count - RunningVM.size(of: "/tmp/evil")))
        #expect(try await again.service.runtime("web-1").state == .failed)
        try await again.stop()
        again.remove()
    }

    @Test("entries behind the quote are judged with the next one")
    func behindTheQuote() async throws {
        try await register(vm)
        var later = vm
        later.quotedCount = 3
        later.entries.append(RunningVM.file("/tmp/evil"))
        #expect(try later.report(broker).end == .closed)
        let report = try await newest().report
        #expect(report.entries == 4 && report.quotedEntries == 3)
        later.quotedCount = nil
        try await expectFailure(of: later, by: ["snapshot"])
        try await finish()
    }

    @Test("a new snapshot is held against all of the log")
    func newSnapshot() async throws {
        try await register(vm)
        #expect(try vm.report(broker).end == .closed)
        var later = vm
        later.entries.append(RunningVM.file("/opt/new"))
        try await register(later)
        let (offset, end, _) = try later.report(broker)
        #expect(offset == 0 && end == .closed)
        try await finish()
    }

    @Test("what the policy refuses fails the VM, with a snapshot and without")
    func refusedByPolicy() async throws {
        var other = vm
        other.template.measurement = fixed(0xa2)
        try await expectFailure(of: other, by: ["measurement"])
        try await register(other)
        _ = try await service.resume("web-1", RuntimeRequest(reason: "looked at"))
        try await expectFailure(of: other, by: ["measurement"])
        try await finish()
    }

    @Test("where neither the snapshot nor anybody else names the quoting key, nothing is verified")
    func selfMadeKey() async throws {
        try await register(vm, namesKey: false)
        #expect(try vm.report(broker).end == .closed)
        let (report, state) = try await newest()
        #expect(report.verdict == "not verified" && state == .neverVerified)
        let finding = report.findings?.first {
            $0.check == "same TPM key" && $0.outcome == .notChecked
        }
        #expect(finding?.note?.contains("its root can have made it") == true)
        try await finish()
    }

    @Test("a VM that reports too often is told to come back later")
    func tooOften() async throws {
        var ends: [AttesterEvent?] = []
        for _ in 0..<40 { ends.append(try vm.report(broker).end) }
        let held = ends.filter {
            if case .held = $0 { true } else { false }
        }
        // The minute may end in between.
        #expect(!held.isEmpty && ends.first == .closed)
        try await finish()
    }

    @Test("another VM's guest says nothing of this one, whatever it calls itself")
    func otherGuest() async throws {
        try await register(vm)
        #expect(try vm.report(broker).end == .closed)
        // The host of web-2 can put what it likes into HOST_DATA, but not into a launch of web-1.
        var other = try RunningVM(config: try await broker.enrol("web-2"))
        (other.name, other.template.reportID) = ("web-2", fixed(0x2d))
        try other.launch(broker)
        other.name = "web-1"
        other.template.hostData = vm.config
        other.config = vm.config
        guard case .refused = try other.report(broker).end else {
            Issue.record("expected REFUSED")
            return
        }
        var (report, state) = try await newest()
        #expect(report.verdict == "refused" && report.refusedChecks.contains("same launch"))
        #expect(state == .trusted)
        // Nor does a guest that was never launched and is another image.
        var stranger = vm
        (stranger.template.reportID, stranger.template.measurement) = (fixed(0x3d), fixed(0xee))
        #expect(try stranger.report(broker).end != .closed)
        (report, state) = try await newest()
        #expect(report.verdict == "refused" && report.refusedChecks.contains("measurement"))
        #expect(state == .trusted)
        try await finish()
    }

    @Test("a proof of unlocking that comes late makes the launch one to report from")
    func lateOutcome() async throws {
        var next = vm
        next.reboot(as: 0x2d)
        try await register(next)
        let (_, launch, proof) = try next.launch(broker, proves: false)
        try await expectFailure(of: next, by: ["same launch"])
        let connection = try TestVM(broker)
        var session = AttesterSession(
            lateOutcome: LateOutcome(launchID: try #require(launch), proof: proof),
            exporter: try connection.handshake(), hashing: OpenSSLHashing())
        try connection.send(session.start())
        #expect(try session.receive(try connection.receive()) == [.closed])
        #expect(try next.report(broker).end == .closed)
        #expect(try await newest().report.verdict == "trusted")
        try await finish()
    }

    @Test("strangers' reports are counted, and only some of them get a row")
    func strangers() async throws {
        var stranger = vm
        stranger.template.hostData = FixedBytes()
        stranger.template.reportID = fixed(0x3d)
        for _ in 0..<12 { #expect(try stranger.report(broker).end != .closed) }
        #expect(try await service.reports("web-1", limit: 100).reports.count == 10)
        #expect(broker.authority.statistics.now.unrecorded == 2)
        #expect(
            try await service.runtime("web-1") == RuntimeRecord(vm: "web-1", state: .neverVerified))
        try await finish()
    }
}

extension RunningVM {
    /// How many bytes an entry of that path takes in the binary log.
    static func size(of path: String) -> Int {
        IMALogBuilder([file(path)]).binary { hashing.digest(.sha1, $0) }.count
    }
}
